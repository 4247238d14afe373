/* consiliumd: runs a hospital's node; `init`, `join` and others prepare it (prepare.h). */
#include <argp.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/daemon/backup_command.h"
#include "node/daemon/daemon.h"
#include "node/daemon/prepare.h"
#include "node/daemon/readiness.h"
#include "node/os/keyfile.h"

enum { SECRETS_SIZE = 64 * 1024 };

/* What it does instead of running. */
static const struct command {
    const char *name;
    int (*run)(const struct prepare_options *options, struct secure_arena *secrets);
} command_list[] = {
    {"run", NULL},
    {"init", prepare_init},
    {"request", prepare_request},
    {"join", prepare_join},
    {"seal", prepare_seal},
    {"passphrase", prepare_passphrase},
    {"backup", backup_command_backup},
    {"restore", backup_command_restore},
};

struct options {
    const struct command *command; /* NULL: run */
    const char *config;
    struct prepare_options prepare;
    bool check_config;
    bool help_config;
};

enum option_key {
    OPTION_CHECK = 256,
    OPTION_HELP_CONFIG,
    OPTION_COUNTRY,
    OPTION_ENDPOINT,
    OPTION_BOARD,
    OPTION_REQUEST,
    OPTION_PASSPHRASE_FILE,
    OPTION_NEW_PASSPHRASE_FILE,
    OPTION_SEALED,
    OPTION_FEDERATION,
    OPTION_FINGERPRINT,
    OPTION_TO,
    OPTION_FROM,
    OPTION_KEYS,
    OPTION_EVEN_IF_OLD,
};

static const struct argp_option option_list[] = {
    {"config", 'c', "FILE", 0, "Settings; default /etc/consilium/consiliumd.conf", 1},
    {"check-config", OPTION_CHECK, NULL, 0, "Check the settings and end", 1},
    {"help-config", OPTION_HELP_CONFIG, NULL, 0, "Print all settings as a file to start from", 1},
    {"passphrase-file", OPTION_PASSPHRASE_FILE, "FILE", 0,
     "Passphrase of sealed keys: the first line of FILE (mode 600)", 1},
    {"version", 'V', NULL, 0, "Print the version", 1},
    {NULL, 0, NULL, 0, "For init, request, join, seal, passphrase, backup and restore:", 2},
    {"data", 'd', "DIR", 0, "Directory of this institution's keys and stores", 2},
    {"name", 'n', "NAME", 0, "Name of the institution (init, request)", 2},
    {"country", OPTION_COUNTRY, "CC", 0, "Its country, two letters (init, request)", 2},
    {"board", OPTION_BOARD, "TAG", 0,
     "A board it serves, such as oncology; repeat it (init, request)", 2},
    {"endpoint", OPTION_ENDPOINT, "tcp://HOST:PORT", 0,
     "Where others may dial it; none if the firewall lets nothing in (init, request)", 2},
    {"request", OPTION_REQUEST, "FILE", 0,
     "Where to write the request to the society (init, request)", 2},
    {"output", 'o', NULL, OPTION_ALIAS, NULL, 2},
    {"sealed", OPTION_SEALED, NULL, 0,
     "Seal the keys under a passphrase, which each start then asks for (init)", 2},
    {"federation", OPTION_FEDERATION, "NAME", 0,
     "Short name of the federation here, a-z 0-9 - (join)", 2},
    {"fingerprint", OPTION_FINGERPRINT, "DIGITS", 0,
     "The fingerprint that the society read out; without it, it is asked for (join)", 2},
    {"new-passphrase-file", OPTION_NEW_PASSPHRASE_FILE, "FILE", 0,
     "The new passphrase: the first line of FILE (passphrase, backup --keys)", 2},
    {"to", OPTION_TO, "DIR", 0, "Where to make the backup: a new directory (backup)", 2},
    {"from", OPTION_FROM, "DIR", 0, "The backup to put into an empty --data (restore)", 2},
    {"keys", OPTION_KEYS, "FILE", 0,
     "Write the keys to FILE too, sealed under a passphrase (backup); take them from there "
     "(restore)",
     2},
    {"even-if-old", OPTION_EVEN_IF_OLD, NULL, 0,
     "Put back a backup that is older than 30 days (restore)", 2},
    {0},
};

static error_t take_list(const char **list, size_t *count, char *value, struct argp_state *state)
{
    if (*count == PREPARE_LIST_MAX)
        argp_error(state, "too many; at most %d", PREPARE_LIST_MAX);
    list[(*count)++] = value;
    return 0;
}

static error_t take_argument(struct options *options, char *value, struct argp_state *state)
{
    const size_t count = sizeof command_list / sizeof command_list[0];
    for (size_t i = 0; options->command == NULL && i < count; i++) {
        if (strcmp(value, command_list[i].name) == 0) {
            options->command = &command_list[i];
            return 0;
        }
    }
    if (options->command == NULL)
        argp_error(state, "there is no command `%s`", value);
    else if (options->command->run == prepare_join && options->prepare.invitation == NULL)
        options->prepare.invitation = value;
    else
        argp_error(state, "`%s` is not understood here", value);
    return 0;
}

static error_t take_option(int key, char *value, struct argp_state *state)
{
    struct options *options = state->input;
    struct prepare_options *prepare = &options->prepare;
    switch (key) {
    case 'c':
        options->config = value;
        return 0;
    case 'd':
        prepare->data = value;
        return 0;
    case 'n':
        prepare->name = value;
        return 0;
    case 'V':
        puts("consiliumd " CONSILIUM_VERSION);
        exit(0);
    case OPTION_CHECK:
        options->check_config = true;
        return 0;
    case OPTION_HELP_CONFIG:
        options->help_config = true;
        return 0;
    case OPTION_COUNTRY:
        prepare->country = value;
        return 0;
    case OPTION_ENDPOINT:
        return take_list(prepare->endpoints, &prepare->endpoint_count, value, state);
    case OPTION_BOARD:
        return take_list(prepare->boards, &prepare->board_count, value, state);
    case OPTION_REQUEST:
    case 'o':
        prepare->request = value;
        return 0;
    case OPTION_PASSPHRASE_FILE:
        prepare->passphrase_file = value;
        return 0;
    case OPTION_NEW_PASSPHRASE_FILE:
        prepare->new_passphrase_file = value;
        return 0;
    case OPTION_SEALED:
        prepare->is_sealed = true;
        return 0;
    case OPTION_FEDERATION:
        prepare->federation = value;
        return 0;
    case OPTION_FINGERPRINT:
        prepare->fingerprint = value;
        return 0;
    case OPTION_TO:
        prepare->to = value;
        return 0;
    case OPTION_FROM:
        prepare->from = value;
        return 0;
    case OPTION_KEYS:
        prepare->keys = value;
        return 0;
    case OPTION_EVEN_IF_OLD:
        prepare->is_old_fine = true;
        return 0;
    case ARGP_KEY_ARG:
        return take_argument(options, value, state);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int fail(const char *line)
{
    fprintf(stderr, "consiliumd: %s\n", line);
    return 1;
}

/* ---- run ---- */

static int fail_setting(const struct configuration *configuration, const char *key,
                        const char *what)
{
    struct config_trouble trouble;
    config_complain(configuration->config, "", key, what, &trouble);
    return fail(trouble.line);
}

static struct passphrase_source source_of(const struct options *options,
                                          const struct configuration *configuration)
{
    struct passphrase_source source = PASSPHRASE_TERMINAL;
    source.file = options->prepare.passphrase_file;
    if (source.file == NULL && configuration->unlock == UNLOCK_CREDENTIAL)
        source.credential = "consilium-passphrase";
    else if (source.file == NULL)
        source.file = configuration->passphrase_file;
    return source;
}

/* Says what was looked at. Sealed keys are opened only when nobody has to type. */
static int check(const struct options *options, const struct configuration *configuration,
                 struct secure_arena *secrets)
{
    struct config_trouble trouble;
    struct identity identity;
    char problem[IDENTITY_PROBLEM_SIZE] = "";
    struct passphrase_source source = source_of(options, configuration);
    const char *note = "";
    if (readiness_is_running(configuration))
        note = "; a node runs with these stores, which were not opened, nor its ports tried";
    else if (readiness_check_apart(configuration, &trouble) != OK)
        return fail(trouble.line);
    else if (source.file == NULL &&
             (source.credential == NULL || getenv("CREDENTIALS_DIRECTORY") == NULL) &&
             identity_is_sealed(configuration->data))
        note = "; the keys are sealed and were not opened, nor the stores";
    else if (identity_open(configuration->data, &source, secrets, &identity, problem) != OK)
        return fail_setting(configuration, "data", problem);
    else if (readiness_check_stores(configuration, &identity, &trouble) != OK)
        return fail(trouble.line);
    printf("%s: all settings are good, %zu federation%s%s\n", options->config,
           configuration->federation_count, configuration->federation_count == 1 ? "" : "s", note);
    return 0;
}

static int run(const struct options *options, struct secure_arena *secrets)
{
    static struct configuration configuration;
    struct config_trouble trouble;
    char problem[IDENTITY_PROBLEM_SIZE] = "";
    struct identity identity;
    err failure = configuration_load(options->config, &configuration, &trouble);
    if (failure == OK)
        failure = readiness_check(&configuration, &trouble);
    if (failure != OK)
        return fail(trouble.line);
    if (options->check_config)
        return check(options, &configuration, secrets);
    if (configuration.federation_count == 0)
        return fail("no [federation NAME] in the settings; take an invitation with `consiliumd "
                    "join`, which shows the lines to add");
    if (readiness_is_running(&configuration))
        return fail_setting(&configuration, "data",
                            "another consiliumd runs with these stores; stop that one first");
    if (readiness_check_apart(&configuration, &trouble) != OK)
        return fail(trouble.line);
    log_init(configuration.log_level);
    struct passphrase_source source = source_of(options, &configuration);
    if (identity_open(configuration.data, &source, secrets, &identity, problem) != OK)
        return fail_setting(&configuration, "data", problem);
    if (!secure_arena_locked(secrets))
        log_warn("memory-not-locked", log_text("do", "raise the limit: ulimit -l, LimitMEMLOCK"));
    int status = daemon_run(&configuration, &identity);
    configuration_free(&configuration);
    return status;
}

int main(int argc, char **argv)
{
    struct options options = {.config = "/etc/consilium/consiliumd.conf"};
    struct secure_arena *secrets;
    const struct argp argp = {
        .options = option_list,
        .parser = take_option,
        .args_doc = "\ninit --data DIR --name NAME --country CC --board TAG --request FILE\n"
                    "request --data DIR --output FILE\n"
                    "join --data DIR --federation NAME INVITATION\n"
                    "seal --data DIR\n"
                    "passphrase --data DIR\n"
                    "backup --data DIR --to DIR [--keys FILE]\n"
                    "restore --from DIR --data DIR [--keys FILE]",
        .doc = "Runs a hospital's Consilium node.\v"
               "`init` makes the institution's identity and its request to the society; `request` "
               "writes the request again, or, with --country and --board, a new one; `join` takes "
               "the invitation that comes back; `seal` seals keys that lie bare under a "
               "passphrase; `passphrase` changes it; `backup` copies the data while the node "
               "runs; `restore` puts a backup back. NO REAL PATIENTS YET: de-identification is "
               "not built. Not for emergencies.",
    };
    argp_err_exit_status = 2;
    if (argp_parse(&argp, argc, argv, 0, NULL, &options) != 0)
        return 2;
    if (options.help_config) {
        config_help(&configuration_schema, stdout);
        return 0;
    }
    if (sodium_init() < 0 || secure_arena_harden() != OK ||
        secure_arena_new(SECRETS_SIZE, &secrets) != OK)
        return fail("the operating system gives no protected memory; do not run here");
    int status = options.command != NULL && options.command->run != NULL
                     ? options.command->run(&options.prepare, secrets)
                     : run(&options, secrets);
    secure_arena_free(secrets);
    return status;
}
