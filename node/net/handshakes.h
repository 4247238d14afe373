/* The connections to a listening socket whose handshake is not finished: how many each source may
 * have, and which one is cut when there are too many.
 *
 * Addresses and times in, whom to cut out; no socket is touched here. A connection is an id of the
 * caller's (its descriptor). A *source* is what one outsider has at no cost: one IPv4 address, or
 * one IPv6 /64; a *network* is what one may have cheaply: an IPv4 /24 or an IPv6 /48. The rules,
 * and why, are in spec/links.md.
 *
 *   each source     has at most HANDSHAKE_EACH_COUNT_MAX unfinished handshakes
 *   when full       the network with the most loses one, of its source with the most
 *   which one       by chance: the oldest would be the slow member's, the newest whoever comes
 *   known sources   those that lately finished one keep a few places that no flood can take */
#ifndef CONSILIUM_NODE_NET_HANDSHAKES_H
#define CONSILIUM_NODE_NET_HANDSHAKES_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/base/error.h"
#include "protocol/base/limits.h"

/* An IPv6 address; an IPv4 address as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2). */
struct handshake_address {
    uint8_t bytes[16];
};

struct handshakes;

/* Empty; NULL: no memory. */
struct handshakes *handshakes_new(void);
/* Accepts NULL. */
void handshakes_free(struct handshakes *handshakes);

/* A connection began. Returns the id of the connection to be cut, which is no longer in the table
 * then and may be the new one; -1: none. `random_value` is a random number. An id that is there
 * already is replaced. */
int handshakes_begin(struct handshakes *handshakes, int id, const struct handshake_address *from,
                     uint64_t now_ms, uint32_t random_value);

/* It is finished, or the connection ended. Ids that are not there are passed over. */
void handshakes_end(struct handshakes *handshakes, int id);

/* A member came, is here, or went: its source is known from now on for HANDSHAKE_KNOWN_S. */
void handshakes_know(struct handshakes *handshakes, const struct handshake_address *from,
                     uint64_t now_ms);

/* The id of one that began at `at_ms` or before; -1: none. */
int handshakes_overdue(const struct handshakes *handshakes, uint64_t at_ms);

size_t handshakes_count(const struct handshakes *handshakes);

#endif
