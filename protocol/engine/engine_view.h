/* What screens and the runtime ask of the engine: it changes nothing. */
#ifndef CONSILIUM_PROTOCOL_ENGINE_ENGINE_VIEW_H
#define CONSILIUM_PROTOCOL_ENGINE_ENGINE_VIEW_H

#include "protocol/cases/case_paging.h"
#include "protocol/consult/consult.h"
#include "protocol/state/clinicians.h"
#include "protocol/state/clock_check.h"
#include "protocol/step/step.h"

struct engine;

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

/* How much of its share in the store a writer has used, with what is on its way there. */
uint64_t engine_writer_used(const struct engine *engine, const struct node_id *writer);

/* Where a stream stands here; false when it is not known. */
bool engine_position(const struct engine *engine, const struct stream_id *id, uint64_t *ret_tail,
                     uint64_t *ret_had);

/* The last generation of this node's stream in `scope` that holds something, or the first. */
struct stream_id engine_own_stream(const struct engine *engine, const struct scope *scope);

/* Is it known that the store is not an older copy of itself, by the marker or from a peer? */
bool engine_is_proven(const struct engine *engine);
/* Has each EFFECT_GENERATION about a stream that was ended been given? A marker that is begun
 * before would claim that the store is whole. */
bool engine_has_told_ends(const struct engine *engine);

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
enum { ENGINE_CASE_SIZE_MAX = CASE_PAGING_ROW_SIZE_MAX };
MUST_USE err engine_case_export(const struct engine *engine, const struct case_id *case_id,
                                struct buffer *out);
MUST_USE err engine_case_read(struct bytes row, struct consult *ret_consult);

/* Did this member say two things at one position, and the officers have not decided yet? */
bool engine_is_frozen(const struct engine *engine, const struct node_id *node);

/* Whether others accept what this node writes, as far as it knows. */
enum engine_standing {
    STANDING_GOOD,      /* also before it is a member */
    STANDING_DOUBLED,   /* another process signs as this node: it writes nothing until restarted */
    STANDING_FROZEN,    /* it signed two records at one position; the officers have not decided */
    STANDING_SUSPENDED, /* by the officers */
    STANDING_REMOVED,
};
enum engine_standing engine_standing(const struct engine *engine);

/* What is known of this node's own clock, as of the last second. Borrowed until the next step. */
const struct clock_view *engine_clock(const struct engine *engine);

/* The n-th greeted peer; false past the end. */
struct engine_peer {
    struct link_id link;
    struct node_id node;
    uint64_t epoch;
    struct head_id head;
    bool is_same_head;
    bool is_split; /* its roster has left ours: nothing that opens a body goes there */
    bool is_skewed;
    uint64_t forged_count; /* forged signatures that it sent */
};
bool engine_peer(const struct engine *engine, uint32_t n, struct engine_peer *ret_peer);

/* The n-th member that sent forged signatures, connected or not; false past the end. */
struct engine_forger {
    struct node_id node;
    uint64_t count;
    uint32_t cut_count;  /* how often its link was cut lately */
    uint64_t refused_ms; /* how long its link is still refused; 0: it is not */
};
bool engine_forger(const struct engine *engine, uint32_t n, struct engine_forger *ret_forger);

#endif
