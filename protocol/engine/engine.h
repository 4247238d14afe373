/* The core: one federation as one member sees it. Events in, effects out (step.h).
 *
 * It reads no clock, opens nothing, draws no randomness, and takes no heap: all memory is handed in
 * at engine_new. Same events, same effects, byte for byte. The shell restores it from the store
 * (EVENT_RESTORE_*, EVENT_REPLAY, EVENT_START) and from then on is told what to do.
 *
 * Inside, one room for each thing that can happen:
 *   receive.c       records came: what each is, and where it belongs
 *   accept.c       what was checked of them: keep it, and what it does then
 *   equivocation.c who said two things at one position
 *   publish.c      we write a record: seal, keep
 *   push.c       a record is durable: push, acknowledge, count who has it
 *   sync.c      compare, list, want, answer
 *   access.c  who may write, name and read what
 *   cases.c     what records mean for cases, and what this node does about it by itself
 *   custody_store.c      what we hold for members who are off; custody_outbox.c: what we left for
 * them with others; custody_pickup.c: what others hold for us; mailbox_keys.c: keys for it */
#ifndef CONSILIUM_PROTOCOL_ENGINE_ENGINE_H
#define CONSILIUM_PROTOCOL_ENGINE_ENGINE_H

#include "protocol/cases/clinicians.h"
#include "protocol/consult/consult.h"
#include "protocol/engine/step.h"
#include "protocol/roster/roster.h"

struct engine;

struct engine_config {
    struct federation_id federation;
    struct node_id self;
    struct roster *roster;     /* lent: the shell applies heads to it between steps */
    uint8_t hash_key[16];      /* random, secret */
    uint32_t stream_count_max; /* a power of two */
    uint32_t missing_count_max;
    uint32_t mark_count_max; /* a power of two: peers in sync x our own live streams, twice */
    uint32_t case_count_max;
    uint32_t case_awake_max;      /* of them in memory as a whole; the rest in the store */
    uint64_t case_idle_ms;        /* nothing came for so long: it goes to rest */
    uint32_t clinician_count_max; /* a power of two */
    uint32_t writer_count_max;    /* a power of two, twice the members that there may be */
    uint32_t held_count_max;      /* envelopes of others; 0: this node takes no part in custody */
    uint32_t deposit_count_max;   /* our own that lie with others */
    uint32_t reach_count_max; /* a power of two: our own mail and case streams x who reads them */
    uint8_t deposit_secret[KEY_SIZE]; /* the same after each start */
    bool grants_by_hand;              /* false: a join is granted by policy at once */
    uint64_t survey_ms; /* after the start nothing is written for so long, nor until those who are
                         * connected by then have told where our streams stand, nor, without a
                         * marker, until somebody has; 0: no wait */
};

/* 262,144 streams, 65,536 lacks, 65,536 marks, CASE_COUNT_MAX cases, CASE_AWAKE_MAX of them awake
 * until they were idle for ten minutes, 16,384 clinicians; no custody. */
void engine_config_defaults(struct engine_config *config);

size_t engine_memory_size(const struct engine_config *config);
/* `memory` is aligned to 16, zeroed, and outlives the core. */
struct engine *engine_new(void *memory, const struct engine_config *config);

void engine_step(struct engine *engine, const struct event *event, struct step *step);

/* True while the core has more to do than it did in its last step: give it a tick soon. */
bool engine_busy(const struct engine *engine);

/* ---- for screens ---- */

struct engine_status {
    uint32_t stream_count;
    uint32_t behind_count;   /* streams known to reach further than we hold */
    uint32_t missing_count;  /* positions without body or key that we may read */
    uint32_t lost_count;     /* of them, such as the disk lost altogether */
    uint32_t lost_own_count; /* of those, what this node itself wrote */
    uint32_t held_count;     /* envelopes held for members who are off */
    uint32_t left_count;     /* our own records that lie with a custodian */
    uint32_t leaving_count;  /* and those that are still to be left with one */
    uint32_t forked_count;
    uint32_t peer_count; /* greeted */
    uint32_t case_count;
    uint32_t awake_count;  /* cases in memory as a whole */
    uint32_t skewed_count; /* peers whose clock differs by more than ten minutes */
    uint32_t split_count;  /* peers whose roster has left ours */
    bool posting_waits;    /* the clock, the roster or the first comparison is in doubt */
    bool keys_wait;        /* heads have not been compared yet since the start */
    bool disk_full;
    uint64_t refused; /* records and frames refused since the start */
};
void engine_status(const struct engine *engine, struct engine_status *ret_status);

/* Where a stream stands here; false when it is not known. */
bool engine_position(const struct engine *engine, const struct stream_id *id, uint64_t *ret_tail,
                     uint64_t *ret_had);

/* The last generation of this node's stream in `scope` that holds something, or the first. */
struct stream_id engine_own_stream(const struct engine *engine, const struct scope *scope);

/* Is it known that the store is not an older copy of itself, by the marker or from a peer? */
bool engine_is_proven(const struct engine *engine);

/* Whether `node` may read a position now. OK, or why not: as access_read. */
MUST_USE err engine_may_read(const struct engine *engine, const struct node_id *node,
                             const struct record_claim *claim);

/* May `node` have chunks of this case's items: the requester, and participants with access now.
 * ERR_NOT_FOUND, ERR_DESTROYED, ERR_NOT_ENTITLED, ERR_COOLING_OFF; for others than ourselves
 * ERR_BUSY while nothing is handed out, or its head is not known here; ERR_FORKED when its roster
 * has left ours. */
MUST_USE err engine_may_have_items(const struct engine *engine, const struct node_id *node,
                                   const struct case_id *case_id);

/* The clinician of a certificate; NULL when it is not known here. */
const struct clinician *engine_clinician(const struct engine *engine,
                                         const struct cert_id *cert_id);

/* OK when the statement is what the clinician it names signed there, under a certificate of the
 * writer that was valid then and is not revoked. Errors as clinicians_check, statement_verify. */
MUST_USE err engine_check_statement(const struct engine *engine, const struct record_header *header,
                                    const struct statement *statement);

/* A case that is awake; NULL when it rests (what EFFECT_REST gave last tells it) or is not known
 * here. Borrowed until the next step. */
const struct consult *engine_case(const struct engine *engine, const struct case_id *case_id);
/* Does it rest: is it known without its records? */
bool engine_case_rests(const struct engine *engine, const struct case_id *case_id);

/* The n-th case, awake or not; false past the end. */
struct engine_case_brief {
    struct case_id case_id;
    struct node_id requester; /* who proved to be it */
    enum case_state state;
    bool rests;
};
bool engine_case_at(const struct engine *engine, uint32_t n, struct engine_case_brief *ret_brief);

/* What is kept of a case: the row of an EFFECT_REST. Writing it: ERR_NOT_FOUND when the case is not
 * awake. Reading it: ERR_CORRUPT. */
enum {
    ENGINE_CASE_SIZE_MAX = 512 + PARTICIPANT_COUNT_MAX * NODE_ID_SIZE + CONSULT_EXPORT_SIZE_MAX
};
MUST_USE err engine_case_export(const struct engine *engine, const struct case_id *case_id,
                                struct buffer *out);
MUST_USE err engine_case_read(struct bytes row, struct consult *ret_consult);

/* Did this member say two things at one position, and the officers have not decided yet? */
bool engine_is_frozen(const struct engine *engine, const struct node_id *node);

/* The n-th greeted peer; false past the end. */
struct engine_peer {
    struct link_id link;
    struct node_id node;
    uint64_t epoch;
    struct head_id head;
    bool is_same_head;
    bool is_split; /* its roster has left ours: nothing that opens a body goes there */
    bool is_skewed;
};
bool engine_peer(const struct engine *engine, uint32_t n, struct engine_peer *ret_peer);

#endif
