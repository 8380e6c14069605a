-- Everything of SQLite's own that a copy of the schema can lose.
CREATE TABLE authors (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    email TEXT NOT NULL COLLATE NOCASE,
    name TEXT DEFAULT 'it''s; nobody', -- a comment; with a semicolon
    CONSTRAINT authors_email UNIQUE (email)
);
CREATE TABLE "notes; and more" (
    id INTEGER NOT NULL,
    author_id INTEGER,
    body TEXT CHECK (length(body) > 0),
    size INTEGER GENERATED ALWAYS AS (length(body)) VIRTUAL,
    changed TEXT DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT pk_notes PRIMARY KEY (id),
    CONSTRAINT notes_author FOREIGN KEY(author_id) REFERENCES authors (id)
        ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
);
CREATE TABLE settings (key TEXT PRIMARY KEY, value ANY UNIQUE, author INTEGER REFERENCES authors) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX by_lower ON authors (lower(name) DESC) WHERE name IS NOT NULL;
CREATE VIEW long_notes AS SELECT id, size FROM "notes; and more" WHERE size > 100;
CREATE TRIGGER touch AFTER UPDATE OF body ON "notes; and more" BEGIN
    UPDATE "notes; and more" SET changed = CASE WHEN new.body = '' THEN NULL ELSE CURRENT_TIMESTAMP END
        WHERE id = new.id;
    SELECT 'two; statements';
END;
CREATE VIRTUAL TABLE search USING fts5(body);
INSERT INTO authors (email) VALUES ('ada@example.com');
