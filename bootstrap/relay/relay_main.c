/* consilium-relay: lets members of a federation find and reach each other. */
#include <argp.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "bootstrap/relay/relay_config.h"
#include "bootstrap/relay/relay_key.h"
#include "bootstrap/relay/relay_metrics.h"
#include "bootstrap/relay/relay_serve.h"
#include "bootstrap/relay/relay_status.h"

enum option_key {
    OPTION_CHECK = 256,
    OPTION_HELP_CONFIG,
    OPTION_STATUS,
    OPTION_METRICS,
    OPTION_ENDPOINT,
    OPTION_VERSION,
};

struct options {
    const char *command; /* NULL: run */
    const char *config;
    const char *data;
    const char *endpoint;
    bool check_config, help_config, status, metrics, version;
};

static const struct argp_option option_list[] = {
    {"config", 'c', "FILE", 0, "Settings; default /etc/consilium/consilium-relay.conf", 1},
    {"check-config", OPTION_CHECK, NULL, 0, "Check the settings and exit", 1},
    {"help-config", OPTION_HELP_CONFIG, NULL, 0, "Print all settings as a file to start from", 1},
    {"status", OPTION_STATUS, NULL, 0,
     "Print the status of the running relay: links, sessions, bytes, limits", 1},
    {"metrics", OPTION_METRICS, NULL, 0, "Print the same for monitoring (Prometheus text format)",
     1},
    {"version", OPTION_VERSION, NULL, 0, "Print the version", -1},
    {NULL, 0, NULL, 0, "For init:", 2},
    {"data", 'd', "DIR", 0, "Directory of the relay's key and list", 2},
    {"endpoint", OPTION_ENDPOINT, "tcp://HOST:PORT", 0,
     "Address of this relay for members, in the line for the society", 2},
    {0},
};

static error_t take_option(int key, char *value, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case 'c':
        options->config = value;
        return 0;
    case 'd':
        options->data = value;
        return 0;
    case OPTION_CHECK:
        options->check_config = true;
        return 0;
    case OPTION_HELP_CONFIG:
        options->help_config = true;
        return 0;
    case OPTION_STATUS:
        options->status = true;
        return 0;
    case OPTION_METRICS:
        options->metrics = true;
        return 0;
    case OPTION_ENDPOINT:
        options->endpoint = value;
        return 0;
    case OPTION_VERSION:
        options->version = true;
        return 0;
    case ARGP_KEY_ARG:
        if (options->command != NULL || (strcmp(value, "init") != 0 && strcmp(value, "run") != 0))
            argp_error(state, "`%s` is not understood here", value);
        options->command = value;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .options = option_list,
    .parser = take_option,
    .args_doc = "[run]\ninit --data DIR",
    .doc = "Lets members of a federation find and reach each other. It stores no record and can "
           "open none.\v`init` makes the relay's key. See consilium-relay(8).",
};

static int fail(const char *line)
{
    (void)fprintf(stderr, "consilium-relay: %s\n", line);
    return 1;
}

static int init(const struct options *options)
{
    struct transport_key key;
    char hex[2 * KEY_SIZE + 1], fingerprint[FINGERPRINT_TEXT_SIZE], line[512];
    if (options->data == NULL) {
        (void)fail("init needs --data DIR, the directory for the relay's key");
        return 2;
    }
    err failure = relay_key_make(options->data, &key);
    if (failure != OK) {
        const char *why = failure == ERR_IO ? strerror(errno) : err_sentence(failure);
        (void)snprintf(line, sizeof line, "%s: %s%s", options->data, why,
                       failure == ERR_EXISTS ? "; the existing key was not changed" : "");
        return fail(line);
    }
    ids_to_hex(ID_BYTES(key), hex);
    relay_key_fingerprint(&key, fingerprint);
    printf("This relay now has a key in %s.\n"
           "\n"
           "  public key   %s\n"
           "  fingerprint  %s\n"
           "\n"
           "Give the society this line, and read them the fingerprint on the phone:\n"
           "\n"
           "  consilium-society relay add %s %s\n",
           options->data, hex, fingerprint, hex,
           options->endpoint == NULL ? "tcp://HOST:PORT" : options->endpoint);
    return 0;
}

static int show_status(const struct relay_config *config, bool as_metrics)
{
    err failure = as_metrics ? relay_metrics_show(config->data, stdout)
                             : relay_status_show(config->data, stdout);
    if (failure == OK)
        return 0;
    if (failure == ERR_STATE)
        return fail("no relay is running here; this was its last status");
    if (failure == ERR_NOT_FOUND)
        return fail("no relay ever ran with this configuration; `systemctl start consilium-relay` "
                    "starts it");
    if (failure == ERR_NOT_ENTITLED)
        return fail("the relay runs as another user: run this as that user (sudo -u "
                    "consilium-relay), or as root");
    if (failure == ERR_BUSY)
        return fail("the relay runs but has not answered for 30 s; this was its last status. It is "
                    "overloaded or stopped: see its log, then restart it");
    return fail("the relay's status cannot be read; see its log");
}

/* The settings are read; this checks the key that they name. */
static int check(const struct options *options, const struct relay_config *config)
{
    uint8_t secret[KEY_SIZE];
    struct transport_key key;
    struct config_trouble trouble;
    err failure = relay_key_load(config->data, secret, &key);
    sodium_memzero(secret, sizeof secret);
    if (failure == OK) {
        printf("%s: all settings are good\n", options->config);
        return 0;
    }
    config_complain(
        config->config, "", "data",
        failure == ERR_NOT_FOUND      ? "there is no relay.key; make it with "
                                        "`consilium-relay init --data DIR`"
        : failure == ERR_NOT_ENTITLED ? "relay.key belongs to another user, or others may read it; "
                                        "chown it to the relay's user, chmod 600"
        : failure == ERR_IO           ? strerror(errno)
                            : "relay.key is not a relay's key; restore it from its backup",
        &trouble);
    return fail(trouble.line);
}

static int run(const struct options *options)
{
    struct relay_config config;
    struct config_trouble trouble;
    int status = 0;
    if (relay_config_load(options->config, &config, &trouble) != OK)
        return fail(trouble.line);
    log_init(config.log);
    if (options->check_config)
        status = check(options, &config);
    else if (options->status || options->metrics)
        status = show_status(&config, options->metrics);
    else
        status = relay_serve(&config);
    relay_config_free(&config);
    return status;
}

int main(int argc, char **argv)
{
    struct options options = {.config = "/etc/consilium/consilium-relay.conf"};
    argp_err_exit_status = 2;
    if (argp_parse(&argp, argc, argv, 0, NULL, &options) != 0)
        return 2;
    if (options.version) {
        printf("consilium-relay " CONSILIUM_VERSION "\n");
        return 0;
    }
    if (sodium_init() < 0)
        return fail("libsodium cannot be initialised; reinstall the package libsodium23");
    if (options.help_config) {
        config_help(&relay_config_schema, stdout);
        return 0;
    }
    if (options.command != NULL && strcmp(options.command, "init") == 0)
        return init(&options);
    return run(&options);
}
