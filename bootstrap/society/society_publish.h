/* `publish`: brings the head in force to the relays, and its content to the members that are
 * connected to them. */
#ifndef CONSILIUM_BOOTSTRAP_SOCIETY_SOCIETY_PUBLISH_H
#define CONSILIUM_BOOTSTRAP_SOCIETY_SOCIETY_PUBLISH_H

#include "bootstrap/society/society_options.h"

/* Command: exit status, 0 when every relay of the settings holds the head. */
int society_publish_head(const struct society_options *options);

#endif
