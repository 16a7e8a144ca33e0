-- Whether anything is still to be sent to an upload is asked before it goes.
CREATE INDEX broadcasts_of_upload ON broadcasts (upload_id) WHERE upload_id IS NOT NULL;
