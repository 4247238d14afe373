/* The options that every socket of a hub has, before it is bound or connected. Part of hub. */
#ifndef CONSILIUM_NODE_NET_HUB_SOCKET_H
#define CONSILIUM_NODE_NET_HUB_SOCKET_H

#include <stdbool.h>

#include "node/net/hub.h"

struct zmq_msg_t;

/* A CURVE server whose clients are asked for at the ZAP handler, in `domain`. NULL: errno. */
void *hub_socket_server(void *context, const struct hub_config *config, const char *domain);

/* A CURVE client of the server with the key `peer`. NULL: errno. */
void *hub_socket_client(void *context, const struct hub_config *config,
                        const struct transport_key *peer);

/* Where the events of `socket` named in `events` are told: a socket to be read with
 * hub_socket_event. `number` is one that nobody else uses. NULL: errno. */
void *hub_socket_monitor(void *context, void *socket, int events, uint64_t number);

/* Ends the telling; to be called before the monitor or `socket` is closed. An event for which there
 * is no reader left stops libzmq's only thread, and all links with it (measured). */
void hub_socket_unmonitor(void *socket);

/* One event; false when none waits. */
bool hub_socket_event(void *monitor, uint16_t *ret_event, uint32_t *ret_value);

/* The text for zmq_bind and zmq_connect. */
void hub_socket_address(const struct address *address, char ret_text[static ADDRESS_TEXT_MAX]);

/* A message that holds copies of both. ERR_NO_MEMORY. */
MUST_USE err hub_socket_message(struct bytes head, struct bytes rest,
                                struct zmq_msg_t *ret_message);

#endif
