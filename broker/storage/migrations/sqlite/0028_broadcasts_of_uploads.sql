-- Whether anything is still to be sent to an upload is asked before it goes; old ones are found by what they are.
CREATE INDEX broadcasts_of_upload ON broadcasts (upload_id) WHERE upload_id IS NOT NULL;
CREATE INDEX uploads_by_state ON uploads (state, created_at);
