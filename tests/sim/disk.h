/* What a simulated hospital has durable: streams and their records. */
#ifndef CONSILIUM_TESTS_SIM_DISK_H
#define CONSILIUM_TESTS_SIM_DISK_H

#include "protocol/step/step.h"

struct disk_record {
    uint8_t *bytes; /* NULL: nothing stands there */
    size_t size;
    bool has_key;
    struct record_key key;
    struct record_id id;
    uint32_t flags;
    enum audience audience;
    uint32_t put_count; /* how often this position was written: more than once is a fault */
};

struct disk_stream {
    struct stream_id id;
    struct record_id tail_id;
    uint64_t tail;
    uint64_t epoch;
    uint32_t flags;
    struct disk_record *records; /* [sequence - 1] */
    uint64_t capacity;
};

/* How a case stood when it went to rest, or was erased here; and whether all of it is gone. */
struct disk_case {
    struct scope scope;
    uint8_t *bytes;     /* of an EFFECT_REST, or engine_case_export's */
    size_t size;        /* 0: nothing */
    bool is_remembered; /* as it stood when it was erased */
    bool is_buried;
};

/* What an EFFECT_GENERATION told of one of our streams. */
struct disk_generation {
    struct stream_id stream;
    struct wall opened_at;
    bool is_ended;
};

enum { DISK_GENERATIONS_MAX = 512, DISK_FORKS_MAX = 32 };

/* A fork that was found here: both sides, header and signature. */
struct disk_fork {
    uint8_t ours[RECORD_BARE_SIZE];
    uint8_t theirs[RECORD_BARE_SIZE];
    bool is_posted;     /* its proof stands in our federation stream */
    struct token token; /* not durable: it is being posted; 0: not */
    uint64_t retry_at;  /* not durable */
};

struct disk {
    struct disk_stream *streams;
    size_t count;
    uint8_t forks[64 * 1024]; /* the last EFFECT_FORKS */
    size_t forks_size;
    struct disk_fork found[DISK_FORKS_MAX];
    size_t found_count;
    struct disk_generation generations[DISK_GENERATIONS_MAX];
    size_t generation_count;
    struct disk_case *cases;
    size_t case_count;
    bool is_full;
    unsigned refuse_percent; /* of the batches */
};

void disk_free(struct disk *disk);
/* NULL when it is not there. */
struct disk_stream *disk_find(const struct disk *disk, const struct stream_id *id);
/* NULL when nothing stands there. */
const struct disk_record *disk_at(const struct disk *disk, const struct stream_id *id,
                                  uint64_t sequence);

/* Where a record stands in its stream; 0: nowhere. */
uint64_t disk_seek(const struct disk *disk, const struct stream_id *id,
                   const struct record_id *record);

/* Writes one batch or nothing. `epochs[i]` is the epoch of the head that record i names.
 * ERR_FULL; ERR_DUPLICATE when a position is taken; ERR_OUT_OF_ORDER when one is left out. */
MUST_USE err disk_write(struct disk *disk, const struct step_batch *batch, const uint64_t *epochs);

/* The row of a case; made when there is none. */
struct disk_case *disk_case(struct disk *disk, const struct scope *scope);
/* In place of what was there. */
void disk_case_put(struct disk_case *row, struct bytes bytes);

/* A backup. */
void disk_copy(const struct disk *disk, struct disk *ret_copy);

/* Destroys the bodies and keys of a scope, but not clear records; how many. */
uint64_t disk_destroy(struct disk *disk, const struct scope *scope);

#endif
