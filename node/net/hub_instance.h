/* Whether two processes use one transport key at the same time.
 *
 * The hello of who dials names its process: 16 random bytes, the time, and a tag that only a holder
 * of the key can make. Whoever is dialed remembers the last two processes of each key. When the
 * earlier one comes again after the later one had come, both are alive: each is told so in turn,
 * with what the other one said, which it checks by the tag. So nobody else can claim it, and what
 * was said before this process began proves nothing. */
#ifndef CONSILIUM_NODE_NET_HUB_INSTANCE_H
#define CONSILIUM_NODE_NET_HUB_INSTANCE_H

#include "node/net/hub_peer.h"

enum { HUB_INSTANCE_SIZE = 16 + 8 + HASH_SIZE };

/* Names this process. */
void hub_instance_begin(struct hub *hub);

/* What this process says of itself to the peer whose key is `to`. */
void hub_instance_write(const struct hub *hub, const struct transport_key *to,
                        uint8_t ret_said[static HUB_INSTANCE_SIZE]);

/* Does `said`, which the peer handed on, prove another process with this hub's key? */
bool hub_instance_is_second(const struct hub *hub, const struct transport_key *peer,
                            struct bytes said);

/* Notes what came with a hello of this key; other sizes are passed over. True: both of two
 * processes are alive, and `ret_other` is what the other one said, until the next call. */
bool hub_instance_note(struct hub *hub, const struct transport_key *key, struct bytes said,
                       struct bytes *ret_other);

#endif
