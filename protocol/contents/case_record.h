/* Contents of the small records of a case: opening, access, questions, decisions, receipts.
 * consult.h decides which of them count. The announcement, the case file (MANIFEST) and the opinion
 * have files of their own. */
#ifndef CONSILIUM_PROTOCOL_CONTENTS_CASE_RECORD_H
#define CONSILIUM_PROTOCOL_CONTENTS_CASE_RECORD_H

#include "protocol/base/ids.h"
#include "protocol/record/content.h"
#include "protocol/record/statement.h"

/* ---- OPEN: the first record of the requester's stream ---- */

/* 32 random bytes that make the case_id; the member that presents them with its own node_id is the
 * requester. */
struct case_record_opening {
    uint8_t bytes[32];
};

/* hash(CASE_ID; federation, requester, opening): only the requester can prove to speak for the
 * case. */
struct case_id case_record_case_id(const struct federation_id *federation,
                                   const struct node_id *requester,
                                   const struct case_record_opening *opening);
/* True when the opening proves that `requester` speaks for the case. */
bool case_record_proves(const struct federation_id *federation, const struct node_id *requester,
                        const struct case_record_opening *opening, const struct case_id *case_id);

#define CASE_RECORD_INITIATIVE_LIST(X)                                                             \
    X(CASERECORD_BY_PHYSICIAN, "physician")                                                        \
    X(CASERECORD_BY_PATIENT, "patient")
enum case_record_initiative {
    CASE_RECORD_INITIATIVE_NONE,
    CASE_RECORD_INITIATIVE_LIST(CONTENT_CODE_ENUM)
};
extern const struct content_codes case_record_initiatives;

struct case_record_open {
    struct case_record_opening opening;
    struct node_id requester;
    struct bytes announcement; /* the content that the board or the recipient sees, byte for byte */
    struct bytes consent;      /* optional note: which consent is on record, and where */
    enum case_record_initiative initiative; /* optional */
    struct node_id
        directed[PARTICIPANT_COUNT_MAX]; /* optional: addressed by mail, not to a board */
    size_t directed_count;
};
CONTENT_DECLARE(case_record_open, struct case_record_open);

/* ---- access ---- */

struct case_record_grant {
    struct node_id participant;
    struct record_id join;    /* optional: the JOIN mail that it answers */
    struct cert_id clinician; /* optional: who joined */
};
CONTENT_DECLARE(case_record_grant, struct case_record_grant);

struct case_record_grant_end {
    struct node_id participant;
    struct bytes note; /* optional */
    /* optional, together: the last position of the participant's stream that still counts */
    uint64_t generation;
    uint64_t sequence;
    struct record_id record_id;
};
CONTENT_DECLARE(case_record_grant_end, struct case_record_grant_end);

/* ---- talking ---- */

struct case_record_post {
    struct bytes text;
    struct bytes language;    /* optional */
    struct record_id answers; /* optional: the record it is about */
};
CONTENT_DECLARE(case_record_post, struct case_record_post);

#define CASE_RECORD_WANTED_LIST(X)                                                                 \
    X(CASERECORD_WANT_RECORDS, "records")                                                          \
    X(CASERECORD_WANT_TEST, "test")                                                                \
    X(CASERECORD_WANT_IMAGE, "image")                                                              \
    X(CASERECORD_WANT_OTHER, "other")
enum case_record_wanted { CASE_RECORD_WANT_NONE, CASE_RECORD_WANTED_LIST(CONTENT_CODE_ENUM) };
extern const struct content_codes case_record_wanteds;

struct case_record_ask_item {
    enum case_record_wanted wanted;
    struct bytes text;
};
struct case_record_ask {
    struct case_record_ask_item items[ASK_COUNT_MAX];
    size_t item_count;
    struct bytes note; /* optional */
};
CONTENT_DECLARE(case_record_ask, struct case_record_ask);

#define CASE_RECORD_ANSWER_LIST(X)                                                                 \
    X(CASERECORD_SUPPLIED, "supplied")                                                             \
    X(CASERECORD_NOT_AVAILABLE, "not-available")                                                   \
    X(CASERECORD_NOT_GIVEN, "not-given")
enum case_record_answer { CASE_RECORD_ANSWER_NONE, CASE_RECORD_ANSWER_LIST(CONTENT_CODE_ENUM) };
extern const struct content_codes case_record_answers;

struct case_record_supply_answer {
    uint64_t index; /* of the item in the ASK, from 0 */
    enum case_record_answer answer;
    struct bytes note; /* optional */
};
/* The items themselves are in the MANIFEST written before it. All optional except one of answers,
 * items and note. */
struct case_record_supply {
    struct record_id ask;
    struct case_record_supply_answer answers[ASK_COUNT_MAX];
    size_t answer_count;
    struct item_id items[ITEM_COUNT_MAX];
    size_t item_count;
    struct bytes note;
};
CONTENT_DECLARE(case_record_supply, struct case_record_supply);

/* Not an opinion; it never counts as one. */
#define CASE_RECORD_DECLINE_LIST(X)                                                                \
    X(CASERECORD_UNAVAILABLE, "unavailable")                                                       \
    X(CASERECORD_NOT_MY_FIELD, "not-my-field")                                                     \
    X(CASERECORD_LOCAL_CARE_ADEQUATE, "local-care-adequate")                                       \
    X(CASERECORD_CONFLICT_OF_INTEREST, "conflict-of-interest")                                     \
    X(CASERECORD_DECLINE_OTHER, "other")
enum case_record_decline_reason {
    CASE_RECORD_DECLINE_NONE,
    CASE_RECORD_DECLINE_LIST(CONTENT_CODE_ENUM)
};
extern const struct content_codes case_record_decline_reasons;

struct case_record_decline {
    enum case_record_decline_reason reason;
    struct bytes text; /* optional */
};
CONTENT_DECLARE(case_record_decline, struct case_record_decline);

/* ---- what the requester takes in, reveals, decides ---- */

struct case_record_taken {
    struct node_id author;
    struct record_id record_id;
    uint64_t kind; /* of the record, so that the state depends on no other stream */
};
struct case_record_take_in {
    struct case_record_taken taken[NAMED_COUNT_MAX];
    size_t taken_count;
};
CONTENT_DECLARE(case_record_take_in, struct case_record_take_in);

struct case_record_reveal {
    struct record_id records[NAMED_COUNT_MAX];
    size_t record_count;
};
CONTENT_DECLARE(case_record_reveal, struct case_record_reveal);

/* About the author's own opinions: participants may read them after the deadline. The state of the
 * case does not change. */
struct case_record_release {
    struct record_id record_id;
};
CONTENT_DECLARE(case_record_release, struct case_record_release);

struct case_record_synthesis {
    struct bytes text;
    struct bytes language;                     /* optional */
    struct record_id records[NAMED_COUNT_MAX]; /* optional: the opinions that it is based on */
    size_t record_count;
};
CONTENT_DECLARE(case_record_synthesis, struct case_record_synthesis);

/* CLOSE and WITHDRAW: a decision, perhaps with a note. */
struct case_record_close {
    struct bytes note; /* optional */
};
CONTENT_DECLARE(case_record_close, struct case_record_close);

struct case_record_withdraw {
    struct bytes note; /* optional */
};
CONTENT_DECLARE(case_record_withdraw, struct case_record_withdraw);

struct case_record_extend {
    struct wall deadline;  /* the new one */
    uint64_t wanted_count; /* optional: 0 does not change it */
};
CONTENT_DECLARE(case_record_extend, struct case_record_extend);

#define CASE_RECORD_FOLLOWED_LIST(X)                                                               \
    X(CASERECORD_FOLLOWED, "followed")                                                             \
    X(CASERECORD_PARTLY_FOLLOWED, "partly-followed")                                               \
    X(CASERECORD_NOT_FOLLOWED, "not-followed")                                                     \
    X(CASERECORD_FOLLOWED_UNKNOWN, "unknown")
enum case_record_followed {
    CASE_RECORD_FOLLOWED_NONE,
    CASE_RECORD_FOLLOWED_LIST(CONTENT_CODE_ENUM)
};
extern const struct content_codes case_record_followeds;

#define CASE_RECORD_RESULT_LIST(X)                                                                 \
    X(CASERECORD_IMPROVED, "improved")                                                             \
    X(CASERECORD_UNCHANGED, "unchanged")                                                           \
    X(CASERECORD_WORSE, "worse")                                                                   \
    X(CASERECORD_DIED, "died")                                                                     \
    X(CASERECORD_RESULT_UNKNOWN, "unknown")
enum case_record_result { CASE_RECORD_RESULT_NONE, CASE_RECORD_RESULT_LIST(CONTENT_CODE_ENUM) };
extern const struct content_codes case_record_results;

struct case_record_outcome {
    uint64_t day; /* after closing: 21, 90, ... */
    enum case_record_followed followed;
    enum case_record_result result;
    struct bytes final_diagnosis;               /* optional */
    struct bytes text;                          /* optional */
    struct record_id opinions[NAMED_COUNT_MAX]; /* optional: which advice was followed */
    size_t opinion_count;
};
CONTENT_DECLARE(case_record_outcome, struct case_record_outcome);

/* ---- receipts and warnings ---- */

/* A clinician's signed receipt: of items of the case file, of records, or of both. */
struct case_record_opened {
    struct hash manifest_root;            /* with items: of the case file that lists them */
    struct item_id items[ITEM_COUNT_MAX]; /* ascending, each once */
    size_t item_count;
    struct record_id records[NAMED_COUNT_MAX];
    size_t record_count;
};
CONTENT_DECLARE(case_record_opened, struct case_record_opened);

#define CASE_RECORD_FLAG_LIST(X)                                                                   \
    X(CASERECORD_IDENTIFYING, "identifying-data")                                                  \
    X(CASERECORD_WRONG_CASE, "wrong-case")                                                         \
    X(CASERECORD_UNPROFESSIONAL, "unprofessional")                                                 \
    X(CASERECORD_FLAG_OTHER, "other")
enum case_record_flag_reason { CASE_RECORD_FLAG_NONE, CASE_RECORD_FLAG_LIST(CONTENT_CODE_ENUM) };
extern const struct content_codes case_record_flag_reasons;

struct case_record_flag {
    struct record_id record_id;
    enum case_record_flag_reason reason;
    struct bytes text; /* optional */
};
CONTENT_DECLARE(case_record_flag, struct case_record_flag);

/* It proves itself: `opening` and `requester` make the case_id, also for a node that no longer
 * holds anything of the case. The writer is the requester, or the successor that the roster
 * names. */
struct case_record_erase {
    struct case_record_opening opening;
    struct node_id requester;
};
CONTENT_DECLARE(case_record_erase, struct case_record_erase);

/* Caveats that a receipt must state: bits of `caveats`. */
enum {
    CASE_RECORD_CAVEAT_FLASH = 1,     /* flash memory may keep an old store key longer */
    CASE_RECORD_CAVEAT_SNAPSHOTS = 2, /* snapshots of the machine may keep one, too */
    CASE_RECORD_CAVEAT_EXPORTS = 4,   /* something was exported or printed before */
    CASE_RECORD_CAVEATS_ALL = 7,
};
struct case_record_erased {
    struct record_id erase; /* the ERASE that it follows */
    uint64_t record_count;  /* record keys destroyed */
    uint64_t item_count;    /* item keys destroyed */
    uint64_t chunk_count;
    uint64_t index_count;      /* index entries destroyed */
    struct wall backups_until; /* until when a backup of the keys may exist */
    uint64_t caveats;
};
CONTENT_DECLARE(case_record_erased, struct case_record_erased);

#endif
