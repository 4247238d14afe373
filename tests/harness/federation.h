/* A federation for tests: officers with known keys, heads made as the society makes them.
 *
 * Keys and ids come from small numbers, so that every run makes the same bytes. */
#ifndef CONSILIUM_TESTS_HARNESS_FEDERATION_H
#define CONSILIUM_TESTS_HARNESS_FEDERATION_H

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/hash.h"
#include "protocol/roster/roster.h"

enum { FEDERATION_ITEMS_SIZE = 4 * 1024 * 1024, FEDERATION_ALL = 0xffff };

#define FEDERATION_START_MS UINT64_C(1700000000000)
#define FEDERATION_HOUR_MS UINT64_C(3600000)
struct federation {
    struct roster roster; /* what the officers hold */
    void *memory;
    struct officers officers;
    uint8_t secrets[OFFICER_COUNT_MAX][64]; /* in the order of the officers' keys */
    uint8_t *items;
    struct buffer draft; /* items of the head in the making */
    struct roster_head head;
    struct delta delta;
    uint8_t body[HEAD_SIZE_MAX];
    size_t body_size;
    uint8_t signed_memory[HEAD_SIZE_MAX];
    struct bytes signed_head;
    struct wall now;
};

/* Makes the Ed25519 key pair `what` of hospital or officer `number`; the same arguments give the
 * same keys. */
void federation_key(uint32_t number, uint8_t what, uint8_t ret_public[static 32],
                    uint8_t ret_secret[static 64]);

/* `first`: number of the first officer's key; the keys get sorted. */
void federation_officers(struct federation *f, uint32_t first, uint32_t count, uint32_t threshold);

/* Makes an empty roster in new memory, which the caller frees. */
struct roster federation_roster(struct roster_plan plan, struct node_id self,
                                const struct federation_id *id, void **ret_memory);

/* Makes the federation without any head; federation_end releases it. */
void federation_begin(struct federation *f, struct roster_plan plan);

/* Releases what federation_begin or federation_found took. */
void federation_end(struct federation *f);

/* Gives the node id of hospital `number`. */
struct node_id federation_node(uint32_t number);

/* Hospital `number` as it is when admitted at `epoch`, on hematology. */
struct member federation_member(uint32_t number, uint64_t epoch);

/* Fills in the settings that federation_found uses. */
void federation_settings(struct settings *settings);

/* Adds the settings to the head in the making. */
void federation_put_settings(struct federation *f, const struct settings *settings);

/* Adds a member's entry to the head in the making. */
void federation_put_member(struct federation *f, const struct member *member);

/* Adds a cut to the head in the making. */
void federation_put_cut(struct federation *f, const struct cut *cut);

/* Writes the body of `f->head`; call it after a change of `f->head`, before federation_sign. */
void federation_body(struct federation *f);

/* Signs the body with the officers in `mask`, in the order of `signers`. */
void federation_sign(struct federation *f, uint32_t mask);

/* Drafts a head from the items put so far; `federation_body` and `_sign` once more after changes
 * of `f->head`. */
err federation_draft(struct federation *f);

/* Puts the drafted head in force at the society and starts the next one. The bytes of the head and
 * of the delta stay until the next item is put. */
err federation_take(struct federation *f);

/* A founded federation with `count` hospitals. */
void federation_found(struct federation *f, struct roster_plan plan, uint32_t count);

#endif
