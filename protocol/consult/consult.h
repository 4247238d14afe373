/* The state of a case, as a function of the requester's case stream alone.
 *
 * Feed the requester's records in order (consult_apply); records of others change nothing of the
 * state: they count when the requester's stream has taken them in, and until then are shown as
 * "not yet taken in". So all who hold the same streams see the same case. Nothing here refuses to
 * *store* anything: each record gets a verdict, and the stream goes on.
 *
 * A few facts that participants tell of themselves (released opinions, receipts of erasure) are
 * kept beside the state; they decide who may read and who is silent, never the state.
 *
 * The table states x records stands in consult_table.c and in spec/consult.md. Its second
 * rooms: consult_entitled.c (who may read), consult_view.c (what to show), consult_react.c (what a
 * node does by itself), consult_export.c (keeping it). */
#ifndef CONSILIUM_PROTOCOL_CONSULT_CONSULT_H
#define CONSILIUM_PROTOCOL_CONSULT_CONSULT_H

#include "protocol/contents/announcement.h"
#include "protocol/contents/case_record.h"
#include "protocol/contents/mirror.h"
#include "protocol/record/record.h"
#include "protocol/record/statement.h"

/* "Joined", "asked for more", "declined" and "follow-up due" are facts about a case that its view
 * tells, not states: a case can be several of them at once. */
#define CASE_STATE_LIST(X)                                                                         \
    X(CASE_DRAFT, "draft") /* nothing of it has left; or its opening is not known here */          \
    X(CASE_ANNOUNCED, "announced")                                                                 \
    X(CASE_REVEALED, "revealed") /* some opinions are readable by all participants */              \
    X(CASE_SYNTHESISED, "synthesised")                                                             \
    X(CASE_CLOSED, "closed")                                                                       \
    X(CASE_FOLLOWED_UP, "followed-up") /* an outcome is recorded */                                \
    X(CASE_WITHDRAWN, "withdrawn")                                                                 \
    X(CASE_ERASED, "erased")
enum case_state { CASE_STATE_LIST(CONTENT_CODE_ENUM) CASE_STATE_COUNT };

#define CONSULT_VERDICT_LIST(X)                                                                    \
    X(CONSULT_COUNTS, "it counts")                                                                 \
    X(CONSULT_AWAITS, "not yet taken in by the requester")                                         \
    X(CONSULT_SEEN, "was applied before")                                                          \
    X(CONSULT_OUT_OF_ORDER, "an earlier record of the requester is still to come")                 \
    X(CONSULT_NO_MEANING, "a kind that has no meaning in a case here")                             \
    X(CONSULT_MALFORMED, "its body breaks the rules")                                              \
    X(CONSULT_WRONG_WRITER, "its writer may not say this")                                         \
    X(CONSULT_NOT_OPEN, "the opening of the case is not known here")                               \
    X(CONSULT_OPEN_ALREADY, "the case is open already")                                            \
    X(CONSULT_NOT_GRANTED, "the institution has no access that the requester granted")             \
    X(CONSULT_GRANTED_ALREADY, "the institution has access already")                               \
    X(CONSULT_GRANT_ENDED, "the access of the institution has ended")                              \
    X(CONSULT_NOT_REVEALED, "opinions are independent and none is revealed yet")                   \
    X(CONSULT_UNKNOWN_RECORD, "it names no record that is taken in")                               \
    X(CONSULT_TOO_EARLY, "the deadline does not allow it")                                         \
    X(CONSULT_NOT_CLOSED, "the case is not closed yet")                                            \
    X(CONSULT_CLOSED, "the case is closed")                                                        \
    X(CONSULT_WITHDRAWN, "the case is withdrawn")                                                  \
    X(CONSULT_NOT_ERASED, "nothing was to be erased")                                              \
    X(CONSULT_ERASED, "the case is erased")                                                        \
    X(CONSULT_FULL, "the case holds as many as it may")
enum consult_verdict { CONSULT_VERDICT_LIST(CONTENT_CODE_ENUM) CONSULT_VERDICT_COUNT };

/* "synthesised"; "it counts". Static storage. */
const char *consult_state_name(enum case_state state);
const char *consult_verdict_sentence(enum consult_verdict verdict);

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
    uint64_t end_generation;  /* with end_sequence: its stream's last position that belongs; */
    uint64_t end_sequence;    /* 0: no end is set */
    /* said by itself; of what it released, the latest first */
    struct consult_released released[RELEASED_COUNT_MAX];
    size_t released_count;
    struct wall erased_at;     /* of its receipt; 0: silent */
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

/* About 60 KB, of which a case of usual size touches the first few: what lies behind the counts of
 * the lists is never read nor written. Look at it freely; change it by the functions only. */
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

    /* the record of each that is in force; zeros when there is none */
    struct record_id open, manifest, synthesis, close, withdraw, outcome, erase;

    size_t participant_count;
    size_t directed_count;
    size_t taken_count;
    struct node_id directed[PARTICIPANT_COUNT_MAX]; /* asked by mail; no board knows of the case */
    struct consult_participant participants[PARTICIPANT_COUNT_MAX]; /* ended ones stay */
    struct consult_taken taken[TAKEN_IN_COUNT_MAX];                 /* in the order of taking in */
};

/* One record of the case, as the record room proved it. */
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

/* A case of which nothing is known yet. */
void consult_init(struct consult *consult, const struct federation_id *federation,
                  const struct case_id *case_id);

/* The roster removed the requester and named this member to erase, reveal and close for it.
 * Apply its records again after this. */
void consult_set_successor(struct consult *consult, const struct node_id *successor);

/* Applies one record and says what it is worth.
 *
 * The requester's records are applied in order of position; CONSULT_OUT_OF_ORDER applied nothing
 * and wants the missing ones first (only ERASE needs no order). CONSULT_SEEN applied nothing. Any
 * other verdict on a record of the requester has moved the cursor past it.
 * A record of another writer is applied at any time and any number of times; when it answers
 * CONSULT_NOT_GRANTED, apply it again when consult_react says so. */
enum consult_verdict consult_apply(struct consult *consult, const struct consult_record *record);

/* What a record is worth now, for display: as consult_apply for records of others; for those of
 * the requester CONSULT_COUNTS or CONSULT_SEEN tell nothing that consult_apply did not tell. */
enum consult_verdict consult_judge(const struct consult *consult,
                                   const struct consult_record *record);

/* May `writer` write a record of this kind now, as far as kind, role and state tell? Ask before
 * writing (CONSULT_COUNTS or CONSULT_AWAITS: yes); the content may still be worth nothing. */
enum consult_verdict consult_allows(const struct consult *consult, const struct node_id *writer,
                                    uint16_t kind);

/* ---- who may read ---- */

/* Does the case entitle `node` to the body of this record? Its statement is not looked at. The
 * roster (admitted, past cooling-off) is asked by the caller, beside this.
 *
 * Opinions sealed to the requester open to participants once a REVEAL names them, or once their
 * author has released them after the deadline. Of an erased case nobody is entitled to anything
 * but the clear records that say so. */
bool consult_entitled(const struct consult *consult, const struct node_id *node,
                      const struct consult_record *record);

/* Was `node` ever entitled to anything: requester, successor, participants, ended ones too. All
 * of these get ERASE. */
bool consult_ever_entitled(const struct consult *consult, const struct node_id *node);

/* ---- what to show ---- */

/* The participant, ended or not; NULL. */
const struct consult_participant *consult_participant_of(const struct consult *consult,
                                                         const struct node_id *node);
/* The record as taken in; NULL when it is not. */
const struct consult_taken *consult_taken_of(const struct consult *consult,
                                             const struct record_id *id);

struct consult_view {
    size_t participant_count; /* with access now */
    size_t ended_count;
    size_t institution_count; /* distinct institutions with an opinion taken in (M5) */
    size_t opinion_count;
    size_t revealed_count; /* of those opinions */
    size_t declined_count; /* institutions */
    size_t erased_count;   /* receipts of erasure */
    size_t silent_count;   /* participants, ended ones too, without one; 0 unless erased */
    bool is_cap_reached;   /* no automatic grants any more */
    bool is_overdue;       /* the deadline has passed and the case is not closed */
    bool is_follow_up_due; /* day 21 or day 90 has come and no outcome of it is recorded */
};
struct consult_view consult_view(const struct consult *consult, struct wall now);

/* ---- what the node does by itself ---- */

enum consult_action_kind {
    CONSULT_WRITE_GRANT,   /* requester: GRANT node, join, clinician; audit the disclosure first */
    CONSULT_MAIL_NOTICE,   /* requester: GRANT_NOTICE to node about `record` */
    CONSULT_WRITE_TAKE_IN, /* requester: TAKE_IN `record` of `kind` by node */
    CONSULT_WRITE_MIRROR,  /* requester: MIRROR what, until, to the board or to those asked */
    CONSULT_CHECK_READERS, /* who may read changed: hand out keys and ask for them again */
    CONSULT_APPLY_AGAIN,   /* feed the kept records of node again: apply, then react */
    CONSULT_DESTROY,       /* destroy keys, chunks, index entries of the case */
    CONSULT_WRITE_ERASED,  /* participant: ERASED about `record`, after destroying */
};

struct consult_action {
    enum consult_action_kind kind;
    struct node_id node;
    struct record_id record;
    struct cert_id clinician;
    uint16_t record_kind;
    enum mirror_what what;
    struct wall until;
};
enum { CONSULT_ACTION_COUNT_MAX = 4 };

struct consult_situation {
    struct node_id self;
    struct wall now;
    bool grants_automatically;    /* policy of this node for this case */
    bool is_writer_admitted;      /* the roster admits the record's writer now */
    bool is_signature_good;       /* the clinician's signature and certificate were checked */
    enum consult_verdict verdict; /* consult_apply's; CONSULT_AWAITS for a JOIN mail */
};

/* What this node does by itself now that `record` was applied, or, for a JOIN mail, has come.
 * Returns how many actions it wrote. Doing one twice is harmless, for consult_apply tells a
 * second GRANT or TAKE_IN apart. */
size_t consult_react(const struct consult *consult, const struct consult_situation *situation,
                     const struct consult_record *record,
                     struct consult_action ret_actions[static CONSULT_ACTION_COUNT_MAX]);

/* ---- keeping it ---- */

enum {
    CONSULT_EXPORT_SIZE_MAX = 600 + PARTICIPANT_COUNT_MAX * NODE_ID_SIZE +
                              PARTICIPANT_COUNT_MAX * (128 + RELEASED_COUNT_MAX * 40) +
                              TAKEN_IN_COUNT_MAX * 36
};

/* Canonical bytes: two that are equal export to equal bytes. ERR_FULL when `out` is. */
MUST_USE err consult_export(const struct consult *consult, struct buffer *out);
/* ERR_CORRUPT, and `*ret_consult` is a case of which nothing is known. */
MUST_USE err consult_import(struct bytes exported, struct consult *ret_consult);

#endif
