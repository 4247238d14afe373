/* The result of a publication at each relay, as text and as JSON. */
#ifndef CONSILIUM_BOOTSTRAP_PRESENT_SOCIETY_PUBLISHED_H
#define CONSILIUM_BOOTSTRAP_PRESENT_SOCIETY_PUBLISHED_H

#include "bootstrap/directory/society_directory.h"
#include "node/net/hub.h"

struct society_published_relay {
    const struct settings_relay *listed;
    bool holds; /* the head in force */
    const char *outcome;
    const char *advice; /* what to do when it does not; NULL: repeat `publish` */
};

struct society_published {
    struct society_published_relay relays[RELAY_COUNT_MAX];
    uint32_t relay_count;
    uint32_t connected; /* members at these relays */
    uint32_t reached;   /* of them, those that have the head */
};

/* What to do when a link to a relay failed for this reason; NULL: repeat `publish`. */
const char *society_published_advice(enum hub_reason reason);

/* Prints it. The exit status is 0 when every relay holds the head. */
int society_published_report(const struct society *society,
                             const struct society_published *published, bool as_json);

/* Warns when a head is pending: it is not in force and is not published. */
void society_published_warn(const struct society *society);

#endif
