-- Whom a message is from on a way, where the broker chose the sender; NULL: as its submission says.
ALTER TABLE message_ways ADD COLUMN sender TEXT;
