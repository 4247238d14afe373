/* The relay's settings, checked: one file, see `consilium-relay --help-config`. */
#ifndef CONSILIUM_BOOTSTRAP_RELAY_RELAY_CONFIG_H
#define CONSILIUM_BOOTSTRAP_RELAY_RELAY_CONFIG_H

#include "node/config/config.h"
#include "node/os/address.h"
#include "node/os/log.h"
#include "protocol/relay/relay_engine.h"

enum { RELAY_CONFIG_LISTEN_MAX = 4 };

struct relay_config {
    struct config *config; /* owns the texts */
    const char *data;
    struct address listen[RELAY_CONFIG_LISTEN_MAX];
    size_t listen_count;
    struct federation_id federation;
    struct transport_key publisher; /* the only publisher until there is a first list */
    bool has_healing;
    struct head_id split_recovery; /* the healing head that may be followed */
    enum log_level log;
    struct relay_limits limits;
    uint32_t link_count;
};

extern const struct config_schema relay_config_schema;

/* ERR_NOT_FOUND, ERR_IO, ERR_INVALID: `ret_trouble->line` says what is wrong and what to do. */
MUST_USE err relay_config_load(const char *path, struct relay_config *ret_config,
                               struct config_trouble *ret_trouble);

void relay_config_free(struct relay_config *config);

#endif
