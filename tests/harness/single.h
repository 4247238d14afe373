/* One engine, and a shell in memory that carries out each effect at once: for tests of peers with
 * keys of their own that send whatever they like. Hospital 1 runs the
 * core; hospitals 2 and 3 are whoever the test makes them. Their keys are those of federation.h.
 *
 * Memory: the core's own, and what the shell holds, which `single_save` and `single_restore` put
 * back to what it was, so that one federation serves many runs. A broken promise ends the program.
 */
#ifndef CONSILIUM_TESTS_HARNESS_SINGLE_H
#define CONSILIUM_TESTS_HARNESS_SINGLE_H

#include "protocol/engine/engine.h"
#include "protocol/wire/frame.h"
#include "tests/harness/federation.h"
#include "tests/harness/interpreter.h"

enum { SINGLE_SELF = 1, SINGLE_HOSPITALS = 3, SINGLE_KEPT_MAX = 1024, SINGLE_SAID_MAX = 4096 };

struct single_record {
    struct stream_id stream;
    uint64_t sequence;
    uint8_t *bytes;
    size_t size;
    bool has_key;
    struct record_key key;
    uint32_t flags;
};

struct single_hospital {
    struct node_id node;
    struct sign_key sign_key, clinician_key;
    uint8_t sign_secret[64], clinician_secret[64];
    struct cert_id cert_id;
};

/* What the core left to be done since the test last cleared them. */
struct single_counts {
    size_t sent, logged, hung_up, checked, told, forwarded, acked;
    size_t sent_types[256]; /* by the frame's type, to however many */
};

/* The last frame of its type that the core sent, and to whom. */
struct single_said {
    uint8_t bytes[SINGLE_SAID_MAX]; /* its beginning */
    size_t size;
    uint32_t links; /* bit n: to link n */
};

struct single {
    struct federation federation;
    struct engine_config config;
    struct engine *engine;
    uint8_t *engine_memory, *saved_memory;
    size_t engine_size;
    struct single_hospital hospitals[SINGLE_HOSPITALS + 1]; /* from 1 */
    struct step step;
    struct interpreter interpreter;
    uint64_t now_ms, saved_ms;
    struct single_record kept[SINGLE_KEPT_MAX];
    size_t kept_count, saved_count;
    struct single_counts counts;
    struct single_said said[FRAME_TYPE_LAST + 1];
    uint32_t sealed, saved_sealed; /* so many keys were drawn */
    struct record_id done;         /* the last record that a post became */
    err done_verdict;
    bool has_no_room; /* the disk is full */
    /* whoever tests custody carries it out; NULL: nobody */
    void (*on_custody)(struct single *single, const struct effect *effect);
};

/* Ends the program unless `holds`. */
void single_must(bool holds);

/* Makes an event of this kind at the core's present time. */
struct event single_event(const struct single *single, enum event_kind kind);

/* ---- parcels ---- */

/* ---- the disk ---- */

/* Finds a stored record by its stream and sequence; NULL when it is not stored. */
struct single_record *single_kept(struct single *single, const struct stream_id *stream,
                                  uint64_t sequence);

/* ---- effects ---- */

/* Begins with this engine, which is new and empty. */
void single_start(struct single *single, struct engine *engine);

/* Gives the core an event, and all events that follow from it. */
void single_give(struct single *single, const struct event *given);

/* Lets so much time pass, and gives ticks until the core is no longer busy. */
void single_tick(struct single *single, uint64_t ms);

/* Gives the core a frame that comes by this link. */
void single_hear(struct single *single, uint32_t link, struct bytes frame);

#endif
