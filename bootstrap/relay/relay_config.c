#include "bootstrap/relay/relay_config.h"

static const char *const relay_config_levels[] = {"error", "warn", "info", "debug", NULL};

static const struct config_setting relay_config_settings[] = {
    {.section = "",
     .key = "data",
     .type = CONFIG_PATH,
     .required = true,
     .help = "Directory of the relay's key and of the list it holds; made by `consilium-relay "
             "init`."},
    {.section = "",
     .key = "listen",
     .type = CONFIG_ENDPOINT,
     .many = true,
     .required = true,
     .help = "Address and port to listen on, such as tcp://0.0.0.0:7800."},
    {.section = "",
     .key = "federation",
     .type = CONFIG_TEXT,
     .required = true,
     .help = "The federation's id, 64 hexadecimal digits, as `consilium-society show` prints it."},
    {.section = "",
     .key = "publisher",
     .type = CONFIG_TEXT,
     .required = true,
     .help = "Public key of the publisher that may bring the first list, 64 hexadecimal digits; "
             "after that, the list names the publishers."},
    {.section = "",
     .key = "healing",
     .type = CONFIG_TEXT,
     .help = "Id of a head that heals a split of the roster, 64 hexadecimal digits, after two "
             "officers have read it to you on the phone; without it, no such head is accepted."},
    {.section = "",
     .key = "log",
     .type = CONFIG_CHOICE,
     .fallback = "info",
     .choices = relay_config_levels,
     .help = "The least severe level that is logged."},
    {.section = "limits",
     .key = "links",
     .type = CONFIG_INT,
     .fallback = "1024",
     .min = 2,
     .max = 8192,
     .help = "Most members connected at once."},
    {.section = "limits",
     .key = "member-window",
     .type = CONFIG_SIZE,
     .fallback = "512K",
     .min = 66 * 1024,
     .max = 16 * 1024 * 1024,
     .help = "Most bytes that one member may have in transit; this times `links` is the relay's "
             "memory, used only under load."},
    {.section = "limits",
     .key = "pair-window",
     .type = CONFIG_SIZE,
     .fallback = "128K",
     .min = 66 * 1024,
     .max = 16 * 1024 * 1024,
     .help = "Most bytes that one member may have in transit to one other member; at most "
             "member-window."},
    {.section = "limits",
     .key = "sessions",
     .type = CONFIG_INT,
     .fallback = "256",
     .min = 1,
     .max = 4096,
     .help = "Most peers to which one member may have bytes in transit."},
    {.section = "limits",
     .key = "watches",
     .type = CONFIG_INT,
     .fallback = "512",
     .min = 1,
     .max = 8192,
     .help = "Most peers whose presence one member may watch."},
    {.section = "limits",
     .key = "control",
     .type = CONFIG_INT,
     .fallback = "600",
     .min = 60,
     .max = 100000,
     .help = "Most control requests of one member in a minute."},
    {.section = "limits",
     .key = "publish-size",
     .type = CONFIG_SIZE,
     .fallback = "4M",
     .min = 512 * 1024,
     .max = 64 * 1024 * 1024,
     .help = "Most bytes of one publication: the chain of roster heads and the list."},
};

const struct config_schema relay_config_schema = {
    relay_config_settings, sizeof relay_config_settings / sizeof relay_config_settings[0]};

static err relay_config_listen(struct relay_config *config, struct config_trouble *ret_trouble)
{
    size_t count = config_count(config->config, "", "listen");
    if (count == 0 || count > RELAY_CONFIG_LISTEN_MAX) {
        config_complain(config->config, "", "listen", "name 1 to 4 endpoints", ret_trouble);
        return ERR_INVALID;
    }
    for (size_t i = 0; i < count; i++) {
        const char *text = config_item(config->config, "", "listen", i);
        if (address_parse(bytes_of_text(text), &config->listen[i]) != OK) {
            config_complain(config->config, "", "listen",
                            "not an endpoint such as tcp://0.0.0.0:7800", ret_trouble);
            return ERR_INVALID;
        }
    }
    config->listen_count = count;
    return OK;
}

static err relay_config_hex(struct relay_config *config, const char *key, uint8_t *ret_bytes,
                            struct config_trouble *ret_trouble)
{
    const char *text = config_text(config->config, "", key);
    if (ids_from_hex(text, ret_bytes, HASH_SIZE) == OK &&
        !ids_all_zero((struct bytes){ret_bytes, HASH_SIZE}))
        return OK;
    config_complain(config->config, "", key, "must be 64 hexadecimal digits", ret_trouble);
    return ERR_INVALID;
}

static uint32_t relay_config_number(const struct relay_config *config, const char *key)
{
    return (uint32_t)config_int(config->config, "limits", key);
}

static err relay_config_limits(struct relay_config *config, struct config_trouble *ret_trouble)
{
    config->link_count = relay_config_number(config, "links");
    config->limits = (struct relay_limits){
        .pair_units = relay_config_number(config, "pair-window") / RELAY_UNIT_SIZE,
        .member_units = relay_config_number(config, "member-window") / RELAY_UNIT_SIZE,
        .session_count = relay_config_number(config, "sessions"),
        .watch_count = relay_config_number(config, "watches"),
        .control_count = relay_config_number(config, "control"),
        .publish_size = relay_config_number(config, "publish-size"),
    };
    if (config->limits.pair_units > config->limits.member_units) {
        config_complain(config->config, "limits", "pair-window",
                        "is larger than member-window; make it smaller", ret_trouble);
        return ERR_INVALID;
    }
    return OK;
}

err relay_config_load(const char *path, struct relay_config *ret_config,
                      struct config_trouble *ret_trouble)
{
    struct relay_config config = {.config = NULL};
    err failure = config_load(&relay_config_schema, path, &config.config, ret_trouble);
    if (failure != OK)
        return failure;
    config.data = config_text(config.config, "", "data");
    config.log = (enum log_level)config_int(config.config, "", "log");
    failure = relay_config_listen(&config, ret_trouble);
    if (failure == OK)
        failure = relay_config_hex(&config, "federation", config.federation.bytes, ret_trouble);
    if (failure == OK)
        failure = relay_config_hex(&config, "publisher", config.publisher.bytes, ret_trouble);
    config.has_healing = config_has(config.config, "", "healing");
    if (failure == OK && config.has_healing)
        failure = relay_config_hex(&config, "healing", config.split_recovery.bytes, ret_trouble);
    if (failure == OK)
        failure = relay_config_limits(&config, ret_trouble);
    if (failure == OK)
        *ret_config = config;
    else
        relay_config_free(&config);
    return failure;
}

void relay_config_free(struct relay_config *config)
{
    config_free(config->config);
    config->config = NULL;
}
