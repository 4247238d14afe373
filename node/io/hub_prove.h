/* The proof, at every start, that strangers are refused. Part of hub. */
#ifndef CONSILIUM_NODE_IO_HUB_PROVE_H
#define CONSILIUM_NODE_IO_HUB_PROVE_H

#include "node/io/hub.h"

/* Binds `server` to a port of the loopback, for this only, and knocks with a random key.
 *
 *   OK                refused, as it must be
 *   ERR_NOT_ENTITLED  it was let in
 *   ERR_IO            neither, within five seconds; errno */
MUST_USE err hub_prove(struct gate *gate, void *server, const struct transport_key *server_key);

#endif
