/* Where a peer listens: `tcp://HOST:PORT`. HOST is a name, an IPv4 address, an IPv6 address in
 * brackets, or, for listening, `*`. */
#ifndef CONSILIUM_NODE_OS_ADDRESS_H
#define CONSILIUM_NODE_OS_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"
#include "protocol/base/limits.h"

struct address {
    char host[ENDPOINT_SIZE_MAX + 1]; /* without brackets */
    uint16_t port;                    /* 0: any free one, for listening only */
    bool literal;                     /* an address, not a name */
    bool v6;                          /* an IPv6 address */
    bool any;                         /* `*` */
};

enum { ADDRESS_TEXT_MAX = ENDPOINT_SIZE_MAX + 16 };

/* ERR_MALFORMED: not of that shape; ERR_TOO_LARGE: over ENDPOINT_SIZE_MAX. */
MUST_USE err address_parse(struct bytes text, struct address *ret_address);

/* True when it can be dialed: a port, and not `*`. */
bool address_dialable(const struct address *address);

/* `tcp://HOST:PORT` and a NUL. */
void address_format(const struct address *address, char ret_text[static ADDRESS_TEXT_MAX]);

#endif
