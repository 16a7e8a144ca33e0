"""Where protobuf meets the domain, one file a subject. A field's rule stands in its proto comment and in one check here."""
