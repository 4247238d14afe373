/* The network address of a machine: `tcp://host:port`.
 *
 * The host is a name or IPv4 address of [A-Za-z0-9.-], or an IPv6 address in brackets; the port is
 * 1 to 65535 without leading zeros; at most ENDPOINT_SIZE_MAX bytes. */
#ifndef CONSILIUM_PROTOCOL_MEMBER_ENDPOINT_H
#define CONSILIUM_PROTOCOL_MEMBER_ENDPOINT_H

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"

/* OK, ERR_TOO_LARGE or ERR_MALFORMED. */
MUST_USE err endpoint_check(struct bytes endpoint);

#endif
