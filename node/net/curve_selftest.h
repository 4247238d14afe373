/* The proof, at every start, that strangers are refused. Part of hub. */
#ifndef CONSILIUM_NODE_NET_CURVE_SELFTEST_H
#define CONSILIUM_NODE_NET_CURVE_SELFTEST_H

#include "node/net/hub.h"

/* Binds `server` to a port of the loopback, for this only, and knocks with a random key.
 *
 *   OK                refused, as it must be
 *   ERR_NOT_ENTITLED  it was let in
 *   ERR_IO            neither, within five seconds; errno */
MUST_USE err curve_selftest(struct zap_authenticator *zap_authenticator, void *server,
                            const struct transport_key *server_key);

#endif
