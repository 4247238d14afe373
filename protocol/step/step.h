/* Events go in, effects come out: the two lists that the engine and the runtime share.
 *
 * Whatever an event points at is borrowed for the step. Whatever an effect points at lies in the
 * step and lives until the next one, so the runtime copies what it keeps. The runtime carries
 * effects out in their order and promises three things:
 *   - EVENT_CHECKED comes in the order of the EFFECT_CHECKs, EVENT_KEPT in that of EFFECT_KEEPs;
 *     several checks that continue each other (batch_verify_continues) may be answered by one
 *     EVENT_CHECKED, in the place of the first;
 *   - EVENT_SEALED, EVENT_LOADED and EVENT_CUSTODY come sometime, each exactly once for its effect;
 *   - EVENT_KEPT comes only when the batch is durable, or failed as a whole;
 *   - an EFFECT_WAKE is answered at once by an EVENT_WOKEN. When the step says `comes_again`, it
 *     holds these alone and took nothing of its event: after them the same event is given again. */
#ifndef CONSILIUM_PROTOCOL_STEP_STEP_H
#define CONSILIUM_PROTOCOL_STEP_STEP_H

#include "protocol/base/limits.h"
#include "protocol/record/record.h"

/* A connection that the runtime made, or took in; 0 is none. */
struct link_id {
    uint32_t value;
};

/* Who asked, for answers to the local API; 0 is nobody. */
struct token {
    uint64_t value;
};

/* What is known of a stored position, stored with it. */
enum record_flags {
    RECORD_BARE = 1 << 0,      /* held without body */
    RECORD_KEYLESS = 1 << 1,   /* body held, key not yet */
    RECORD_UNSIGNED = 1 << 2,  /* covered by a later signature; its own was not checked */
    RECORD_MALFORMED = 1 << 3, /* the body breaks the rules: kept, never shown */
    RECORD_EXPIRED = 1 << 4,
    RECORD_DESTROYED = 1 << 5,
    RECORD_OWN = 1 << 6,
    RECORD_WITHHELD = 1 << 7, /* header only, and no peer may give the rest: not missing */
    RECORD_LOST = 1 << 8,     /* of a missing position: the disk lost all of it */
    RECORD_AHEAD = 1 << 9,    /* its time was more than CLOCK_SKEW_MS_MAX ahead when it came */
};

/* True when body or key of a position with these flags is missing and may still come. */
bool step_is_missing(uint32_t flags);

/* A record on its way from a frame to the store, with what is known of it so far. */
struct step_record {
    struct bytes record; /* whole or bare */
    struct record_id id; /* zeros until it was computed */
    bool has_key;
    struct record_key key;
    uint32_t flags;
    err verdict;            /* of the body: OK, ERR_BAD_HASH, ERR_BAD_KEY, ... */
    struct bytes plaintext; /* of an opened body; empty when it was not opened */
    uint32_t charge;        /* bytes that the peer who sent it is charged with until it is kept */
};

/* Why the records of a run are checked. */
enum run_purpose {
    RUN_EXTEND,    /* they continue their stream */
    RUN_ALTERNATE, /* another copy of what is being checked already */
    RUN_FILL,      /* known positions whose body or key comes later: no signature to check */
    RUN_REPAIR,    /* a fill of what the disk lost: all of it is put again */
    RUN_CONFLICT,  /* another record at a known position: is its signature good? */
    RUN_DETACHED,  /* an ERASE that its stream does not take: obeyed, and not kept there */
    RUN_LOOKUP,    /* the first of the next generation, which names a place that is to be looked for
                    * here, if it is signed; it is not kept */
};
enum { RUN_PURPOSE_COUNT = RUN_LOOKUP + 1 };

/* Positions of one stream that one signature vouches for: the last one's. */
struct step_run {
    uint32_t stream;      /* the engine's slot; comes back as it went */
    uint32_t speculation; /* comes back as it went */
    uint64_t first;       /* sequence of the first record */
    uint16_t count;       /* records of the frame that belong to it, in order */
    enum run_purpose purpose;
    bool is_from_writer; /* over its link: may be checked with others as one run (T-29) */
    bool is_vouched; /* ends with the last that its frame holds of the stream: who sent the frame
                      * checked that signature, or answers for it (T-36) */
    struct sign_key key;
    err verdict; /* of the signature; set by the runtime */
};

enum { STEP_RUN_COUNT_MAX = 256, STEP_RECORD_COUNT_MAX = 256 };

struct step_batch {
    struct step_run *runs;
    size_t run_count;
    struct step_record *records; /* those of runs[0], then those of runs[1], ... */
    size_t record_count;
};

/* What the runtime does for custody (spec/custody.md), and which of it is answered. */
enum step_custody {
    CUSTODY_MAILBOX, /* make a mailbox key, keep its secret; answered when that is durable */
    CUSTODY_FORGET,  /* destroy the secret of a mailbox key, in old pages too */
    CUSTODY_ENCLOSE, /* sign a report, seal a letter; answered */
    CUSTODY_OPEN,    /* open an envelope with whichever secret of ours fits; answered */
    CUSTODY_HOLD,    /* keep an envelope of others under the token's number; answered */
    CUSTODY_LET_GO,  /* and forget it */
    CUSTODY_FETCH,   /* read it; answered */
};

/* An envelope that a node holds for others. */
struct step_held {
    struct node_id depositor;
    struct node_id recipient;
    struct deposit_id id;
    struct wall until;
    uint32_t size; /* of the envelope */
};

/* ---- events ---- */

enum event_kind {
    EVENT_RESTORE_STREAM,     /* at start, for each stored stream */
    EVENT_RESTORE_MISSING,    /* at start, for each position held without body or key; and when
                               * the disk is found to have lost one (RECORD_LOST) */
    EVENT_RESTORE_FORKS,      /* at start, after the streams: what the last EFFECT_FORKS gave */
    EVENT_RESTORE_CASE,       /* at start, before the replay, for each EFFECT_REST that was kept */
    EVENT_RESTORE_GENERATION, /* at start, for each EFFECT_GENERATION that was kept */
    EVENT_RESTORE_MARKER,     /* at start, for each of our streams that the marker names */
    EVENT_RESTORE_REPORT,     /* at start, after the streams: what a peer reported durable */
    EVENT_RESTORE_MAILBOX,    /* at start, for each mailbox key whose secret is here */
    EVENT_RESTORE_HELD,       /* at start, for each envelope that is held for others */
    EVENT_REPLAY, /* at start, twice: federation, mail, case records; own ones on boards */
    EVENT_START,  /* all was restored */
    EVENT_TICK,   /* time passed; at least every 100 ms while engine_busy, else every s */
    EVENT_LINK_UP,
    EVENT_LINK_DOWN,
    EVENT_RELAY_HEAD, /* a relay told its head */
    EVENT_FRAME,
    EVENT_CHECKED,
    EVENT_SEALED,
    EVENT_KEPT,
    EVENT_LOADED,
    EVENT_WOKEN,          /* the row of a case, as the last EFFECT_REST gave it */
    EVENT_RESTED,         /* what an EFFECT_REST gave is durable, or could not be kept */
    EVENT_POST,           /* a clinician or the node itself writes a record */
    EVENT_DESTROYED,      /* what an EFFECT_DESTROY named is gone */
    EVENT_ROSTER,         /* the runtime's roster took a new head, durably */
    EVENT_CUSTODY,        /* the answer to an EFFECT_CUSTODY, if it has one */
    EVENT_SECOND,         /* another process signs as this node: nothing more is written */
    EVENT_RESTORE_WRITER, /* at start, after the streams: what a writer had used of its share */
};

/* The marker lies outside of backups, and says how far our streams had come. */
enum event_marker {
    MARKER_NONE,  /* there is none */
    MARKER_HERE,  /* this store's; EVENT_RESTORE_MARKER told all of it */
    MARKER_OTHER, /* not this store's, or damaged, or this store is from before it */
};

struct event {
    enum event_kind kind;
    enum step_custody custody; /* CUSTODY: what is answered */
    struct mono now;
    struct wall wall;
    struct link_id link; /* LINK_UP, LINK_DOWN, FRAME; CHECKED, KEPT, LOADED: as in the effect */
    struct token token;  /* answers: as in the effect; POST: who asked; RESTORE_HELD: its number */
    err verdict;         /* KEPT, LOADED, SEALED, WOKEN, RESTED, CUSTODY */
    union {
        struct {
            struct stream_id id;
            uint64_t tail;
            struct record_id tail_id;
            uint64_t epoch; /* of the roster head named at the tail */
            uint32_t flags; /* enum stream_flags */
        } stream;
        struct {
            struct stream_id id;
            uint64_t sequence;
            struct record_id record;
            uint32_t flags;
            bool is_sealed;
        } missing;
        struct {
            struct node_id node;
            uint64_t used_kib;
        } writer;           /* RESTORE_WRITER */
        struct bytes forks; /* RESTORE_FORKS */
        struct {
            struct case_id case_id; /* WOKEN, RESTED */
            struct bytes row;       /* RESTORE_CASE, WOKEN */
        } rest;
        struct {
            struct stream_id stream;
            struct wall opened_at;
            bool is_ended;
        } generation;
        struct {
            struct stream_id stream;
            uint64_t sequence;
        } marker;
        struct {
            struct node_id peer;
            struct stream_id stream;
            uint64_t had;
        } report;                   /* RESTORE_REPORT */
        struct mailbox_key mailbox; /* RESTORE_MAILBOX, CUSTODY_MAILBOX */
        struct step_held held;      /* RESTORE_HELD */
        struct bytes letter;        /* CUSTODY_OPEN; _ENCLOSE and _FETCH: the envelope */
        enum event_marker start;    /* START */
        struct {
            struct step_batch batch; /* one record, opened */
            bool is_again;           /* the second pass: all that it builds on was replayed */
        } replay;
        struct transport_key peer; /* LINK_UP */
        struct {
            uint64_t epoch;
            struct head_id head;
        } relay_head;
        struct bytes frame;
        struct step_batch batch; /* CHECKED, KEPT, LOADED, SEALED (one record) */
        struct {
            struct scope scope;
            enum audience audience;
            struct bytes plaintext;
            struct wall expires;
        } post;
        struct {
            struct scope scope;
            struct record_id erase;
            uint64_t record_count; /* keys and bodies destroyed */
            uint64_t item_count;
            uint64_t chunk_count;
            uint64_t index_count;
            struct wall backups_until; /* until when a backup of keys may live */
        } destroyed;
    };
};

/* ---- effects ---- */

enum effect_kind {
    EFFECT_CHECK,  /* verify each run's last signature; hash and open each body */
    EFFECT_SEAL,   /* encrypt, commit, sign with the institution's key */
    EFFECT_KEEP,   /* one atomic batch into the store */
    EFFECT_LOAD,   /* read records of one stream; with link 0 also open them */
    EFFECT_SEND,   /* one frame to each of some links */
    EFFECT_HANGUP, /* close a link: it broke the rules */
    EFFECT_DONE,   /* the answer to EVENT_POST */
    EFFECT_TOLD,   /* a record is durable: notify by id */
    EFFECT_FORKED, /* a writer equivocated: keep `forked.other` beside what is stored */
    EFFECT_FORKS,  /* the list of all equivocations known, in place of the last one: keep it */
    EFFECT_ACKED,  /* a peer reported one of our streams durable up to a position: keep lazily */
    EFFECT_GENERATION, /* a later generation was opened, or ours was ended: keep it */
    EFFECT_DESTROY,    /* bodies, keys, items and index entries of a case, but not clear records */
    EFFECT_RETRACT,    /* what a board, or one asked, was told of an erased case by its requester */
    EFFECT_REST,       /* how a case stands: keep it in place of what was kept of that case */
    EFFECT_WAKE,       /* read that again: EVENT_WOKEN comes before any other event */
    EFFECT_ITEMS,      /* a FRAME_ITEM_* came: the runtime handles it */
    EFFECT_HEADS,      /* a peer wants, or has, roster heads: the runtime handles it */
    EFFECT_CUSTODY,    /* `custody_store` says what */
    EFFECT_LOG,
    EFFECT_FORGER, /* a member sent forged signatures: tell its administrator */
};

struct effect {
    enum effect_kind kind;
    enum step_custody custody; /* CUSTODY */
    struct link_id link;       /* CHECK, LOAD, KEEP: comes back; HANGUP; HEADS, ITEMS: whence */
    struct token token;        /* DONE: who asked; LET_GO: the number; else: comes back */
    bool is_releasing;         /* KEEP: a word of an erasure, which a full disk lets through */
    union {
        struct step_batch batch; /* CHECK, KEEP */
        struct {
            uint32_t stream; /* comes back in the first run, also when it failed */
            struct record_header header;
            struct bytes plaintext;
        } seal;
        struct {
            uint32_t slot; /* with `from`: come back in the first run, also when nothing is there */
            struct stream_id stream;
            uint64_t from;
            bool is_by_id; /* the one record of this id, wherever it stands: `from` only comes back
                            */
            struct record_id id;
            uint16_t count;
            size_t size_max; /* stop before the sum of sizes passes this */
            bool has_signer; /* if no signature of what was read was checked, check one near the end
                              */
            struct sign_key signer;
        } load;
        struct {
            const struct link_id *links;
            size_t link_count;
            struct bytes frame;
        } send;
        struct {
            err verdict;
            struct record_id record;
            uint64_t sequence;
        } done;
        struct {
            struct scope scope;
            struct record_id record;
            struct node_id writer;
            uint16_t kind; /* 0 when the body is not readable here */
        } told;
        struct {
            struct stream_id stream;
            uint64_t sequence;
            struct bytes other; /* bare record */
        } forked;
        struct bytes forks;
        struct {
            struct node_id peer;
            struct stream_id stream;
            uint64_t had;
        } acked;
        struct {
            struct stream_id stream;
            struct wall opened_at;
            bool is_ended;
        } generation;
        struct {
            struct scope scope;
            struct record_id erase;
        } destroy;
        struct {
            struct scope scope;
            struct node_id writer;
            struct case_id case_id;
        } retract;
        struct {
            struct case_id case_id;
            struct bytes row;
        } rest;
        struct case_id wake;
        struct mailbox_key mailbox; /* CUSTODY_FORGET */
        struct {
            struct mailbox_key to;
            struct bytes letter;
            uint32_t signed_from; /* what is signed, up to the end; 0: nothing */
        } enclose;                /* the signature, CUSTODY_REPORT, goes right before it */
        struct bytes envelope;    /* OPEN */
        struct {
            struct step_held held;
            struct bytes envelope;
        } hold;
        struct bytes frame; /* HEADS, ITEMS: as it came */
        struct {
            const char *event; /* static text, key=value friendly */
            struct node_id peer;
            err verdict;
        } log;
        struct {
            struct node_id peer;
            uint64_t count;      /* forgeries of this member */
            uint64_t refused_ms; /* how long its link is refused from now on; 0: it is not cut */
        } forger;
    };
};

enum { STEP_EFFECT_COUNT_MAX = 1024, STEP_ARENA_SIZE = 8 * 1024 * 1024 };

struct step {
    struct effect effects[STEP_EFFECT_COUNT_MAX];
    size_t effect_count;
    bool comes_again; /* give the event again, once what is to be woken is awake */
    uint8_t *arena;   /* STEP_ARENA_SIZE bytes, handed in once */
    size_t arena_used;
};

/* Do the records of the run belong to positions that are known already (RUN_FILL, RUN_REPAIR)? */
bool step_run_fills(const struct step_run *run);

/* Empties the step. */
void step_begin(struct step *step);
/* Room in the step that lives until step_begin, aligned for any type; never NULL: running out is a
 * broken bound of ours. */
void *step_reserve(struct step *step, size_t size);
/* The next effect, zeroed. */
struct effect *step_effect(struct step *step, enum effect_kind kind);
/* True while a handler that may leave `effects` effects and `size` bytes can still run. */
bool step_has_room(const struct step *step, size_t effects, size_t size);

#endif
