-- The ledger, version 1.  Times are RFC 3339 in UTC.  No location's value is ever written here.

CREATE TABLE submission (
    id          TEXT PRIMARY KEY,
    message_id  TEXT NOT NULL,
    sender      TEXT NOT NULL,
    subject     TEXT NOT NULL,
    text        TEXT NOT NULL,
    received_at TEXT NOT NULL,
    notes       TEXT NOT NULL,          -- JSON array
    recipients  TEXT NOT NULL           -- JSON array
) STRICT;
CREATE INDEX submission_by_sender ON submission (sender);

-- One row for each mail that was taken in, so that it is never fetched again.
CREATE TABLE mail (
    account     TEXT NOT NULL,
    mailbox     TEXT NOT NULL,
    uidvalidity INTEGER NOT NULL,
    uid         TEXT NOT NULL,
    submission  TEXT NOT NULL REFERENCES submission (id),
    digest      TEXT NOT NULL,          -- SHA-256 of the mail's bytes: the same mail under a new UID
    filed       TEXT NOT NULL DEFAULT 'no' CHECK (filed IN ('no', 'asked', 'yes')),
    PRIMARY KEY (account, mailbox, uidvalidity, uid)
) STRICT, WITHOUT ROWID;
CREATE INDEX mail_by_digest ON mail (digest);

CREATE TABLE attachment (
    id          INTEGER PRIMARY KEY,
    submission  TEXT NOT NULL REFERENCES submission (id),
    position    INTEGER NOT NULL,
    parent      INTEGER,                -- position of the archive in the same submission
    filename    TEXT NOT NULL,
    kind        TEXT NOT NULL,
    sha256      TEXT,
    size        INTEGER NOT NULL,
    reason      TEXT,
    detail      TEXT,
    findings    TEXT NOT NULL,          -- JSON array of [carrier, what]
    UNIQUE (submission, position)
) STRICT;
CREATE INDEX attachment_by_sha256 ON attachment (sha256, id);

CREATE TABLE original (
    sha256      TEXT PRIMARY KEY,
    size        INTEGER NOT NULL,
    stored_at   TEXT NOT NULL,
    state       TEXT NOT NULL DEFAULT 'kept' CHECK (state IN ('kept', 'purged', 'withdrawn'))
) STRICT, WITHOUT ROWID;

CREATE TABLE clip (
    sha256      TEXT PRIMARY KEY,
    recipe      TEXT NOT NULL,          -- hash of all that decides what the outcome looks like
    status      TEXT NOT NULL,
    reason      TEXT,
    detail      TEXT,
    findings    TEXT NOT NULL,
    clean       INTEGER,
    source      TEXT,                   -- JSON object
    caption     TEXT NOT NULL,
    category    TEXT,
    warnings    TEXT NOT NULL,
    outputs     TEXT NOT NULL,          -- JSON array
    done_at     TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE decision (
    sha256      TEXT PRIMARY KEY,
    decision    TEXT NOT NULL,
    note        TEXT NOT NULL,
    by          TEXT NOT NULL,
    at          TEXT NOT NULL,
    caption     TEXT,
    category    TEXT,
    in_s        REAL,
    out_s       REAL
) STRICT, WITHOUT ROWID;

-- Who decided what, and what stood there before.
CREATE TABLE decision_trail (
    id          INTEGER PRIMARY KEY,
    sha256      TEXT NOT NULL,
    at          TEXT NOT NULL,
    by          TEXT NOT NULL,
    before      TEXT NOT NULL,          -- JSON object
    after       TEXT NOT NULL           -- JSON object
) STRICT;

CREATE TABLE run (
    id          TEXT PRIMARY KEY,
    command     TEXT NOT NULL,
    started_at  TEXT NOT NULL,
    ended_at    TEXT,
    exit_code   INTEGER,
    summary     TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE montage (
    path        TEXT PRIMARY KEY,       -- from the workspace
    key         TEXT NOT NULL,          -- hash of all that went in, in order
    sha256      TEXT NOT NULL,
    clips       TEXT NOT NULL,          -- JSON array of the originals' SHA-256
    made_at     TEXT NOT NULL,
    stale       INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
