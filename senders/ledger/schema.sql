-- The ledger: the second source of truth beside the log. Instants are microseconds since 1970, UTC.
-- One row per candidate that was considered, sent or not.
create table if not exists decisions (
    id            integer primary key,  -- time-ordered, so that inserts touch the same few pages
    decision_id   text not null unique,
    recorded_us   integer not null,
    trigger_name  text not null,
    touch         integer not null,
    entity_id     text not null,
    session_id    text,
    visitor_id    text not null,
    customer_id   text,
    address_hash  text,                 -- keyed hash: survives the erasure of the address
    qualifies_us  integer not null,
    expires_us    integer not null,
    hold_until_us integer not null,     -- the longest that quiet hours, a reviewer or the volume limit may keep it
    should_send   integer not null check (should_send in (0, 1)),
    needs_review  integer not null check (needs_review in (0, 1)),
    position      integer not null,
    route         text,
    variant       text,
    reasons       text not null,        -- JSON
    evidence      text not null,        -- JSON
    timings       text not null         -- JSON, epoch seconds
) strict;

create index if not exists decisions_by_visitor on decisions (visitor_id);
create index if not exists decisions_by_customer on decisions (customer_id) where customer_id is not null;
create index if not exists decisions_by_address on decisions (address_hash) where address_hash is not null;

-- What the email will say, apart from the decision: it can be erased without losing the record.
create table if not exists payloads (
    id           integer primary key references decisions (id),
    to_address   text not null,
    timezone     text,
    template     text not null,
    subject      text not null,
    content      text not null,         -- JSON
    exit_events  text not null          -- JSON list
) strict;

-- The state machine, as data.
create table if not exists edges (
    from_state text not null,
    to_state   text not null,
    because    text not null,
    primary key (from_state, to_state)
) strict, without rowid;

insert or ignore into edges values
    ('PLANNED', 'RESERVED', 'the gate passed'),
    ('PLANNED', 'SUPPRESSED', 'the gate refused'),
    ('PLANNED', 'CAPPED', 'the gate refused'),
    ('PLANNED', 'EXPIRED', 'the gate refused'),
    ('PLANNED', 'CANCELLED', 'the gate refused, or a person did'),
    ('PLANNED', 'HELD', 'a person has to look'),
    ('HELD', 'PLANNED', 'approved'),
    ('HELD', 'CANCELLED', 'rejected'),
    ('HELD', 'EXPIRED', 'nobody looked in time'),
    ('RESERVED', 'DOT_SENT', 'the body is written and the intent committed: only now may the dot go out'),
    ('RESERVED', 'PLANNED', 'a crash or a 4xx before the dot: provably not accepted'),
    ('RESERVED', 'FAILED', 'a 5xx before the dot'),
    ('RESERVED', 'SUPPRESSED', 'the last check refused'),
    ('RESERVED', 'EXPIRED', 'the last check refused'),
    ('RESERVED', 'CANCELLED', 'the last check refused'),
    ('DOT_SENT', 'SENT', 'a 250'),
    ('DOT_SENT', 'PLANNED', 'a 4xx, or the dot was never written'),
    ('DOT_SENT', 'FAILED', 'a 5xx'),
    ('DOT_SENT', 'IN_DOUBT', 'a crash, a timeout or a reset: nobody knows'),
    ('IN_DOUBT', 'SENT', 'the provider has it'),
    ('IN_DOUBT', 'PLANNED', 'the provider proves that it does not have it'),
    ('IN_DOUBT', 'UNKNOWN', 'no proof in time: counts as sent'),
    ('PLANNED', 'IN_DOUBT', 'the ledger is older than its mark'),
    ('HELD', 'IN_DOUBT', 'the ledger is older than its mark'),
    ('RESERVED', 'IN_DOUBT', 'the ledger is older than its mark'),
    ('SENT', 'DELIVERED', 'the provider says so'),
    ('SENT', 'BOUNCED', 'the provider says so'),
    ('SENT', 'COMPLAINED', 'the person says so'),
    ('DELIVERED', 'COMPLAINED', 'the person says so');

-- One row per email that was meant to be sent.
create table if not exists outbox (
    id               integer primary key references decisions (id),
    state            text not null check (state in (
        'PLANNED', 'HELD', 'RESERVED', 'DOT_SENT', 'IN_DOUBT', 'SENT', 'FAILED', 'UNKNOWN',
        'SUPPRESSED', 'CAPPED', 'EXPIRED', 'CANCELLED', 'DELIVERED', 'BOUNCED', 'COMPLAINED'
    )),
    reason           text,              -- why it is where it is, for refusals and holds
    due_us           integer not null,  -- not before
    expires_us       integer not null,  -- not after: as decided, or as long again once a hold is over
    attempts         integer not null default 0,
    fence            integer,           -- the sender epoch that reserved it
    dedupe_key       text unique,       -- one mailbox, one email, whoever shares it
    domain           text not null,     -- of the recipient, for throttling
    content_sha256   text not null,     -- what an approval is bound to
    message_sha256   text,              -- of the bytes that went out
    frozen_us        integer,           -- the Date header: fixed at the first gate, kept over quick retries
    gated_us         integer,
    rendered_us      integer,
    dot_us           integer,
    accepted_us      integer,
    resolve_after_us integer,
    reply            text
) strict;

create index if not exists outbox_due on outbox (due_us) where state = 'PLANNED';
create index if not exists outbox_gated on outbox (gated_us) where gated_us is not null;
-- One index per state: SQLite does not see that `state = 'HELD'` lies within `state in ('HELD', …)`.
create index if not exists outbox_held on outbox (id) where state = 'HELD';
create index if not exists outbox_in_doubt on outbox (resolve_after_us) where state = 'IN_DOUBT';
drop index if exists outbox_open;

create trigger if not exists outbox_begins before insert on outbox
when not (
    new.state in ('PLANNED', 'HELD', 'IN_DOUBT')
    or (new.state = 'CANCELLED' and new.reason = 'one_email_per_mailbox')
)
begin select raise(abort, 'an email begins as PLANNED, HELD or IN_DOUBT'); end;

create trigger if not exists outbox_moves before update of state on outbox
when old.state <> new.state and not exists (
    select 1 from edges where from_state = old.state and to_state = new.state
)
begin select raise(abort, 'no such edge in the state machine'); end;

create trigger if not exists outbox_stays before delete on outbox
begin select raise(abort, 'the outbox forgets nothing'); end;

-- A place under the caps. It exists exactly as long as the email counts; it counts from its dot,
-- or from its gate while there is no dot yet.
create table if not exists reservations (
    key text not null,                  -- "p:<person>" or "a:<address hash>"
    id  integer not null references outbox (id),
    primary key (key, id)
) strict, without rowid;

create index if not exists reservations_by_id on reservations (id);

create trigger if not exists outbox_releases after update of state on outbox
when new.state in ('FAILED', 'SUPPRESSED', 'CAPPED', 'EXPIRED', 'CANCELLED', 'HELD')
begin delete from reservations where id = new.id; end;

-- The newest exit per person and event, by position in the log.
create table if not exists exits (
    key         text not null,
    event_name  text not null,
    position    integer not null,
    received_us integer not null,
    primary key (key, event_name)
) strict, without rowid;

create table if not exists suppressions (
    key       text not null,
    reason    text not null check (reason in (
        'complaint', 'objection', 'unsubscribe', 'hard_bounce', 'list_opt_out'
    )),
    at_us     integer not null,
    lifted_us integer,                  -- by a fresh double opt-in; a complaint is never lifted
    source    text not null,
    primary key (key, reason)
) strict, without rowid;

-- Less mail, as a person chose: no more about one trigger ('' = about anything), until an instant.
create table if not exists opt_outs (
    key          text not null,
    trigger_name text not null,
    at_us        integer not null,
    until_us     integer not null,      -- the greatest integer = for good
    source       text not null,
    primary key (key, trigger_name)
) strict, without rowid;

-- The state of consent; its history is in the audit.
create table if not exists consents (
    key     text primary key,
    granted integer not null check (granted in (0, 1)),
    at_us   integer not null,
    source  text not null
) strict, without rowid;

-- Who turned out to be whom. Append-only; `people` is the canonical person of everyone merged so far.
create table if not exists person_aliases (
    person text not null,
    alias  text not null,
    at_us  integer not null,
    primary key (person, alias)
) strict, without rowid;

create table if not exists people (
    person    text primary key,
    canonical text not null
) strict, without rowid;

create index if not exists people_by_canonical on people (canonical);

create table if not exists approvals (
    id             integer primary key references outbox (id),
    content_sha256 text not null,
    who            text not null,
    why            text not null,
    at_us          integer not null
) strict;

-- What a person noted beside an email that waits; the newest word, earlier ones are in the audit.
create table if not exists review_notes (
    id    integer primary key references outbox (id),
    note  text not null,
    who   text not null,
    at_us integer not null
) strict;

-- Switches and cursors, one row each.
create table if not exists controls (
    name  text primary key,
    value text not null,
    who   text not null,
    why   text not null,
    at_us integer not null
) strict, without rowid;

-- Everything that happened, in order, each row sealed by the hash of the row before.
create table if not exists audit (
    seq     integer primary key,
    at_us   integer not null,
    id      integer,                    -- the decision, where it concerns one
    event   text not null,              -- a state it entered, or what somebody did
    subject text,                       -- a person key, where it concerns no decision
    detail  text not null,              -- JSON
    hash    blob not null
) strict;

create index if not exists audit_by_id on audit (id) where id is not null;
create index if not exists audit_by_subject on audit (subject) where subject is not null;
create index if not exists audit_receipts on audit (seq) where event in (
    'SENT', 'FAILED', 'UNKNOWN', 'SUPPRESSED', 'CAPPED', 'EXPIRED', 'CANCELLED', 'approved', 'rejected'
);
drop index if exists audit_outcomes;

create trigger if not exists audit_is_append_only before update on audit
begin select raise(abort, 'the audit is append-only'); end;

create trigger if not exists audit_keeps_everything before delete on audit
begin select raise(abort, 'the audit is append-only'); end;
