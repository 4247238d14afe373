/* The state of a case, as a function of the requester's case stream alone.
 *
 * Apply the requester's records in order (consult_apply). Records of other writers do not change
 * the state: they count when the requester's stream has taken them in, and until then are shown as
 * "not yet taken in". So all nodes that hold the same streams see the same case. Nothing here
 * refuses to *store* a record: each record gets a verdict, and the stream goes on.
 *
 * A few facts that participants state about themselves (released opinions, receipts of erasure) are
 * kept beside the state. They decide access and which participants are silent, never the state.
 *
 * The table states x records is in consult_table.c and in spec/consult.md. */
#ifndef CONSILIUM_PROTOCOL_CONSULT_CONSULT_H
#define CONSILIUM_PROTOCOL_CONSULT_CONSULT_H

#include "protocol/consult/consult_entitled.h"
#include "protocol/consult/consult_react.h"
#include "protocol/consult/consult_verdict.h"
#include "protocol/consult/consult_view.h"
#include "protocol/contents/announcement.h"
#include "protocol/contents/case_record.h"
#include "protocol/record/record.h"
#include "protocol/record/statement.h"

/* "Joined", "asked for more", "declined" and "follow-up due" are facts about a case that its view
 * shows, not states: several of them can hold at once. */
#define CASE_STATE_LIST(X)                                                                         \
    X(CASE_DRAFT, "draft") /* nothing of it was sent; or its opening is not known here */          \
    X(CASE_ANNOUNCED, "announced")                                                                 \
    X(CASE_REVEALED, "revealed") /* some opinions are readable by all participants */              \
    X(CASE_SYNTHESISED, "synthesised")                                                             \
    X(CASE_CLOSED, "closed")                                                                       \
    X(CASE_FOLLOWED_UP, "followed-up") /* an outcome is recorded */                                \
    X(CASE_WITHDRAWN, "withdrawn")                                                                 \
    X(CASE_ERASED, "erased")
enum case_state { CASE_STATE_LIST(CONTENT_CODE_ENUM) CASE_STATE_COUNT };

/* "synthesised"; static storage. */
const char *consult_state_name(enum case_state state);

struct consult_released {
    struct record_id record_id;
    struct wall time;
};

struct consult_participant {
    struct node_id node;
    bool is_ended;
    bool has_opinion;         /* one of its opinions is taken in */
    bool has_declined;        /* a DECLINE of it is taken in, and no opinion */
    struct record_id join;    /* zeros when granted without one */
    struct cert_id clinician; /* zeros when the grant names none */
    uint64_t end_generation;  /* with end_sequence: the last position of its stream that belongs; */
    uint64_t end_sequence;    /* 0: no end is set */
    /* stated by itself; its releases, the latest first */
    struct consult_released released[RELEASED_COUNT_MAX];
    size_t released_count;
    struct wall erased_at;     /* of its receipt; 0: no receipt */
    struct wall backups_until; /* from the receipt */
};

struct consult_taken {
    struct record_id record_id;
    uint16_t kind;
    uint8_t author; /* index into participants */
    bool is_revealed;
};

struct consult_cursor {
    uint32_t generation;
    uint64_t sequence; /* of the last record applied; 0: none */
};

/* About 60 KB, of which a usual case touches the first few: memory beyond the counts of the lists
 * is never read nor written. Callers may read all fields, and change them only through the
 * functions. */
struct consult {
    struct federation_id federation;
    struct case_id case_id;
    enum case_state state;
    struct node_id requester;               /* zeros until the opening is known */
    struct node_id successor;               /* zeros unless the roster names one */
    struct consult_cursor cursor;           /* in the requester's stream */
    struct consult_cursor successor_cursor; /* in the successor's */

    struct case_record_opening opening;
    uint8_t specialty[TAG_SIZE_MAX];
    size_t specialty_size;
    enum announcement_mode mode;
    uint64_t wanted_count;
    struct wall opened_at;
    struct wall deadline;
    struct wall closed_at;     /* 0: not closed */
    struct hash manifest_root; /* of the case file in force; zeros before the first */
    uint64_t outcome_day;      /* of the latest outcome; 0: none */

    /* the record of each kind that is in force; zeros when there is none */
    struct record_id open, manifest, synthesis, close, withdraw, outcome, erase;

    size_t participant_count;
    size_t directed_count;
    size_t taken_count;
    struct node_id
        directed[PARTICIPANT_COUNT_MAX]; /* addressed by mail; no board knows of the case */
    struct consult_participant
        participants[PARTICIPANT_COUNT_MAX];        /* participants whose access ended stay */
    struct consult_taken taken[TAKEN_IN_COUNT_MAX]; /* in the order of taking in */
};

/* One record of the case, after the record checks. */
struct consult_record {
    struct record_id id;
    struct node_id writer;
    uint32_t generation;
    uint64_t sequence;
    struct wall time;
    enum audience audience;
    /* NULL when the body breaks the rules, or is sealed to the requester and not readable here */
    const struct statement *statement;
};

struct consult_record consult_record_of(const struct record_header *header,
                                        const struct record_id *id,
                                        const struct statement *statement);

/* Makes an empty case, of which nothing is known. */
void consult_init(struct consult *consult, const struct federation_id *federation,
                  const struct case_id *case_id);

/* For the member that the roster names as successor of a removed requester, to erase, reveal and
 * close. Apply its records again after this. */
void consult_set_successor(struct consult *consult, const struct node_id *successor);

/* Applies one record and returns its verdict.
 *
 * The requester's records are applied in order of position. CONSULT_OUT_OF_ORDER applied nothing;
 * the missing records come first (only ERASE needs no order). CONSULT_SEEN applied nothing. Any
 * other verdict on a record of the requester has moved the cursor past it. A record of another
 * writer may be applied at any time and any number of times; after CONSULT_NOT_GRANTED, apply it
 * again when consult_react says so. */
enum consult_verdict consult_apply(struct consult *consult, const struct consult_record *record);

/* The verdict on a record now, for display: as consult_apply for records of other writers. For
 * those of the requester, CONSULT_COUNTS and CONSULT_SEEN say no more than consult_apply did. */
enum consult_verdict consult_judge(const struct consult *consult,
                                   const struct consult_record *record);

/* Whether `writer` may write a record of this kind now, by kind, role and state. Ask before writing
 * (CONSULT_COUNTS or CONSULT_AWAITS: yes); the content may still be invalid. */
enum consult_verdict consult_allows(const struct consult *consult, const struct node_id *writer,
                                    uint16_t kind);

/* ---- lookups ---- */

/* The participant, ended or not; NULL. */
const struct consult_participant *consult_participant_of(const struct consult *consult,
                                                         const struct node_id *node);
/* The record as taken in; NULL when it was not. */
const struct consult_taken *consult_taken_of(const struct consult *consult,
                                             const struct record_id *id);

/* True when `node` was ever entitled to anything: requester, successor, participants, ended ones
 * too. All of these get ERASE. */
bool consult_ever_entitled(const struct consult *consult, const struct node_id *node);

/* ---- storage ---- */

enum {
    CONSULT_EXPORT_SIZE_MAX = 600 + PARTICIPANT_COUNT_MAX * NODE_ID_SIZE +
                              PARTICIPANT_COUNT_MAX * (128 + RELEASED_COUNT_MAX * 40) +
                              TAKEN_IN_COUNT_MAX * 36
};

/* Writes the canonical bytes: equal cases export equal bytes. ERR_FULL when `out` is full. */
MUST_USE err consult_export(const struct consult *consult, struct buffer *out);
/* On ERR_CORRUPT `*ret_consult` is an empty case. */
MUST_USE err consult_import(struct bytes exported, struct consult *ret_consult);

#endif
