/* The settings of a federation, as the officers sign them.
 *
 * A canonical msgpack map with small keys. Keys that this version does not know are skipped when
 * reading; they stay in the packed bytes, which are hashed and sent. */
#ifndef CONSILIUM_PROTOCOL_MEMBER_SETTINGS_H
#define CONSILIUM_PROTOCOL_MEMBER_SETTINGS_H

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"
#include "protocol/base/hash.h"
#include "protocol/base/ids.h"
#include "protocol/base/limits.h"

struct settings_board {
    struct bytes tag;
    struct bytes name; /* for display */
};

struct settings_relay {
    struct transport_key key;
    struct bytes endpoint;
    struct bytes name;
};

/* All `struct bytes` borrow from the bytes that were read. */
struct settings {
    struct bytes name; /* of the federation */
    uint32_t board_count;
    struct settings_board boards[BOARD_COUNT_MAX]; /* by tag, ascending, each once */
    uint64_t cooling_off_ms;
    uint32_t relay_count;
    struct settings_relay relays[RELAY_COUNT_MAX]; /* by key, ascending, each once */
    uint32_t publisher_count;
    struct transport_key publishers[PUBLISHER_COUNT_MAX]; /* ascending, each once */
    uint64_t announcement_ms_max;                         /* the longest life of an announcement */
    uint64_t participant_count_max; /* grants in one case; at most PARTICIPANT_COUNT_MAX */
    uint64_t generation_count_max;  /* generations of one stream in a year */
    bool custody_allowed;           /* members may hold each other's sealed mail in custody */
};

/* Zeroes it and sets the defaults: 72 hours of cooling-off, 90 days for an announcement, 32
 * participants, 12 generations, custody allowed; no name, no boards. */
void settings_init(struct settings *settings);

/* OK when names, tags, endpoints, orders and ranges follow their rules; else ERR_TOO_LARGE or
 * ERR_MALFORMED. */
MUST_USE err settings_check(const struct settings *settings);

/* `settings` is valid by `settings_check`. */
void settings_write(struct buffer *buffer, const struct settings *settings);

/* On failure `*ret_settings` does not change. Errors as `member_read`. */
MUST_USE err settings_read(struct bytes packed, struct settings *ret_settings);

struct hash settings_hash(struct bytes packed);

#endif
