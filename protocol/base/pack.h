/* Canonical MessagePack (W-15); the only module that uses msgpack-c.
 *
 * Each value has one encoding: integers, lengths and counts in their shortest form, map keys
 * unsigned integers, ascending and unique, text valid UTF-8, no ext, no float, no negative integer,
 * depth at most PACK_DEPTH_MAX, at most PACK_NODES_MAX values, nothing after the one outermost
 * value. `pack_open` checks all of it over the raw bytes, before any value is read. So the readers
 * below fail only when the type or count differs from the requested one.
 *
 * Reading never allocates and borrows from the input. A failed reader stays failed and returns
 * zeros, so a parser checks `pack_close` once at its end. */
#ifndef CONSILIUM_PROTOCOL_BASE_PACK_H
#define CONSILIUM_PROTOCOL_BASE_PACK_H

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"

/* ---- reading ---- */

struct pack {
    struct reader reader;
    err failure; /* OK until something failed, then the first failure */
};

/* Checks `all` and starts reading at its one value.
 *
 *   ERR_TRUNCATED      ends early, or a count is over what the bytes left could hold
 *   ERR_TOO_LARGE      too deep or too many values
 *   ERR_NOT_CANONICAL  a longer form than needed, unsorted or double keys, bad UTF-8, left-over
 *                      bytes, or a type that is not allowed here */
MUST_USE err pack_open(struct bytes all, struct pack *ret_pack);

/* OK when all values were read and none failed; else the first failure (ERR_MALFORMED when values
 * are left over). */
MUST_USE err pack_close(struct pack *pack);

/* Marks the reader failed with `failure`, for a parser that rejects a value; keeps an earlier
 * failure. */
void pack_fail(struct pack *pack, err failure);

uint64_t pack_uint(struct pack *pack);
/* Fails with ERR_TOO_LARGE above `max`. */
uint64_t pack_uint_max(struct pack *pack, uint64_t max);
bool pack_bool(struct pack *pack);
/* Borrows; fails with ERR_TOO_LARGE above `size_max`. */
struct bytes pack_bin(struct pack *pack, size_t size_max);
struct bytes pack_text(struct pack *pack, size_t size_max);
/* A bin of exactly `size` bytes, copied to `out`. */
void pack_fixed(struct pack *pack, uint8_t *out, size_t size);
/* The number of elements that follow; fails with ERR_TOO_LARGE above `count_max`. */
uint32_t pack_array(struct pack *pack, uint32_t count_max);
/* True when the next value is nil; then the nil is consumed. */
bool pack_nil(struct pack *pack);
/* Skips one value with all it holds. */
void pack_skip(struct pack *pack);

/* A map whose keys are requested in ascending order. Keys that are not requested are skipped, so
 * that a later version may add fields. */
struct pack_map {
    struct pack *pack;
    uint32_t left; /* pairs not yet entered */
    bool has_key;  /* a key was read, its value was not */
    uint64_t key;
};
struct pack_map pack_map_begin(struct pack *pack);
/* True when `key` exists; the caller must then read its value next. */
bool pack_field(struct pack_map *map, uint64_t key);
/* The same, but a missing key is ERR_MALFORMED. */
bool pack_need(struct pack_map *map, uint64_t key);
void pack_map_end(struct pack_map *map);

/* ---- writing: shortest forms; the caller writes map keys in ascending order ---- */

void pack_put_uint(struct buffer *buffer, uint64_t value);
void pack_put_bool(struct buffer *buffer, bool value);
void pack_put_nil(struct buffer *buffer);
void pack_put_bin(struct buffer *buffer, struct bytes value);
/* Marks the buffer failed when `value` is not UTF-8 (protocol/base/utf8.h). */
void pack_put_text(struct buffer *buffer, struct bytes value);
void pack_put_array(struct buffer *buffer, uint32_t count);
void pack_put_map(struct buffer *buffer, uint32_t count);

#endif
