/* consiliumd: runs a hospital's node; `init` and `join` prepare it. */
#include <argp.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/daemon.h"
#include "node/federation/joining.h"
#include "node/io/keyfile.h"
#include "node/readiness.h"

enum { SECRETS_SIZE = 64 * 1024, LIST_MAX = 32 };

struct options {
    const char *command; /* NULL: run */
    const char *config;
    const char *data;
    const char *name;
    const char *country;
    const char *endpoints[LIST_MAX];
    size_t endpoint_count;
    const char *boards[LIST_MAX];
    size_t board_count;
    const char *request;
    const char *invitation;
    const char *federation;
    const char *fingerprint;
    const char *passphrase_file;
    bool is_sealed;
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
    OPTION_SEALED,
    OPTION_FEDERATION,
    OPTION_FINGERPRINT,
};

static const struct argp_option option_list[] = {
    {"config", 'c', "FILE", 0, "Settings; default /etc/consilium/consiliumd.conf", 1},
    {"check-config", OPTION_CHECK, NULL, 0, "Check the settings and end", 1},
    {"help-config", OPTION_HELP_CONFIG, NULL, 0, "Print all settings as a file to start from", 1},
    {"passphrase-file", OPTION_PASSPHRASE_FILE, "FILE", 0,
     "Passphrase of sealed keys: the first line of FILE (mode 600)", 1},
    {"version", 'V', NULL, 0, "Print the version", 1},
    {NULL, 0, NULL, 0, "For init and join:", 2},
    {"data", 'd', "DIR", 0, "Directory of this institution's keys and stores", 2},
    {"name", 'n', "NAME", 0, "Name of the institution (init)", 2},
    {"country", OPTION_COUNTRY, "CC", 0, "Its country, two letters (init)", 2},
    {"board", OPTION_BOARD, "TAG", 0, "A board it serves, such as oncology; repeat it (init)", 2},
    {"endpoint", OPTION_ENDPOINT, "tcp://HOST:PORT", 0,
     "Where others may dial it; none if the firewall lets nothing in (init)", 2},
    {"request", OPTION_REQUEST, "FILE", 0, "Where to write the request to the society (init)", 2},
    {"sealed", OPTION_SEALED, NULL, 0,
     "Seal the keys under a passphrase, which each start then asks for (init)", 2},
    {"federation", OPTION_FEDERATION, "NAME", 0,
     "Short name of the federation here, a-z 0-9 - (join)", 2},
    {"fingerprint", OPTION_FINGERPRINT, "DIGITS", 0,
     "The fingerprint that the society read out; without it, it is asked for (join)", 2},
    {0},
};

static error_t take_list(const char **list, size_t *count, char *value, struct argp_state *state)
{
    if (*count == LIST_MAX)
        argp_error(state, "too many; at most %d", LIST_MAX);
    list[(*count)++] = value;
    return 0;
}

static error_t take_argument(struct options *options, char *value, struct argp_state *state)
{
    if (options->command == NULL &&
        (strcmp(value, "init") == 0 || strcmp(value, "join") == 0 || strcmp(value, "run") == 0))
        options->command = value;
    else if (options->command != NULL && strcmp(options->command, "join") == 0 &&
             options->invitation == NULL)
        options->invitation = value;
    else
        argp_error(state, "`%s` is not understood here", value);
    return 0;
}

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
    case 'n':
        options->name = value;
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
        options->country = value;
        return 0;
    case OPTION_ENDPOINT:
        return take_list(options->endpoints, &options->endpoint_count, value, state);
    case OPTION_BOARD:
        return take_list(options->boards, &options->board_count, value, state);
    case OPTION_REQUEST:
        options->request = value;
        return 0;
    case OPTION_PASSPHRASE_FILE:
        options->passphrase_file = value;
        return 0;
    case OPTION_SEALED:
        options->is_sealed = true;
        return 0;
    case OPTION_FEDERATION:
        options->federation = value;
        return 0;
    case OPTION_FINGERPRINT:
        options->fingerprint = value;
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

static int usage(const char *line)
{
    fprintf(stderr, "consiliumd: %s\n", line);
    return 2;
}

/* ---- init ---- */

static int make_identity(const struct options *options, struct secrets *secrets)
{
    char problem[IDENTITY_PROBLEM_SIZE] = "";
    struct passphrase_source source = {.file = options->passphrase_file, .fd = -1};
    if (!options->is_sealed)
        return identity_make(options->data, options->name, NULL, problem) == OK ? 0 : fail(problem);
    uint8_t *memory = secrets_take(secrets, PASSPHRASE_SIZE_MAX);
    if (memory == NULL)
        return fail("no locked memory for a passphrase");
    struct buffer buffer = buffer_over(memory, PASSPHRASE_SIZE_MAX);
    err failure = passphrase_read(&source, "New passphrase of this node's keys", true, &buffer);
    if (failure != OK) {
        secrets_drop(secrets, memory);
        return fail("no passphrase: at least 8 characters, twice the same at the terminal, or "
                    "name --passphrase-file");
    }
    struct bytes passphrase = buffer_bytes(&buffer);
    failure = identity_make(options->data, options->name, &passphrase, problem);
    secrets_drop(secrets, memory);
    return failure == OK ? 0 : fail(problem);
}

static int init(const struct options *options, struct secrets *secrets)
{
    char problem[JOINING_PROBLEM_SIZE] = "", fingerprint[FINGERPRINT_TEXT_SIZE];
    struct passphrase_source source = {.file = options->passphrase_file, .fd = -1};
    struct identity identity;
    if (options->data == NULL || options->name == NULL || options->country == NULL ||
        options->request == NULL || options->board_count == 0)
        return usage("init wants --data, --name, --country, --request and at least one --board; "
                     "see --help");
    struct joining_request request = {.country = options->country,
                                      .endpoints = options->endpoints,
                                      .endpoint_count = options->endpoint_count,
                                      .boards = options->boards,
                                      .board_count = options->board_count};
    if (joining_check(&request, problem) != OK)
        return fail(problem);
    if (make_identity(options, secrets) != 0)
        return 1;
    if (identity_open(options->data, &source, secrets, &identity, problem) != OK)
        return fail(problem);
    if (joining_ask(&identity, &request, options->request, fingerprint, problem) != OK)
        return fail(problem);
    printf("This institution now has an identity in %s: back the two .key files up.\n"
           "\n"
           "  1. Mail %s to the society.\n"
           "  2. When they call, read out this fingerprint:\n"
           "\n"
           "     %s\n"
           "\n"
           "  3. They mail an invitation back: consiliumd join --data %s\n"
           "     --federation NAME INVITATION\n",
           options->data, options->request, fingerprint, options->data);
    return 0;
}

/* ---- join ---- */

static bool compare_fingerprint(const struct options *options, const struct hash *hash)
{
    char line[256];
    if (options->fingerprint != NULL)
        return fingerprint_matches(hash, options->fingerprint);
    printf("Ask the society, on the phone, for the fingerprint of the invitation, and type it "
           "here: ");
    fflush(stdout);
    if (fgets(line, sizeof line, stdin) == NULL)
        return false;
    line[strcspn(line, "\n")] = '\0';
    return fingerprint_matches(hash, line);
}

static int join(const struct options *options, struct secrets *secrets)
{
    char problem[JOINING_PROBLEM_SIZE] = "";
    struct hash fingerprint;
    char id[2 * HASH_SIZE + 1], data[4096];
    struct passphrase_source source = {.file = options->passphrase_file, .fd = -1};
    struct joining_accepted accepted;
    struct identity identity;
    if (options->data == NULL || options->federation == NULL || options->invitation == NULL ||
        options->federation[0] == '\0' ||
        strspn(options->federation, "abcdefghijklmnopqrstuvwxyz0123456789-") !=
            strlen(options->federation))
        return usage("join wants --data, --federation NAME (a-z 0-9 -) and the invitation file");
    if (joining_fingerprint(options->invitation, &fingerprint, problem) != OK)
        return fail(problem);
    if (!compare_fingerprint(options, &fingerprint))
        return fail("that is not the fingerprint of this invitation: do not use it, and tell the "
                    "society");
    if (identity_open(options->data, &source, secrets, &identity, problem) != OK)
        return fail(problem);
    snprintf(data, sizeof data, "%s/%s", options->data, options->federation);
    if (joining_accept(&identity, data, options->invitation, &accepted, problem) != OK)
        return fail(problem);
    ids_to_hex(ID_BYTES(accepted.federation), id);
    printf("Joined %s: %u members, roster epoch %llu.\n"
           "\n"
           "Put this into consiliumd.conf, then start consiliumd:\n"
           "\n"
           "  [federation %s]\n"
           "  id = %s\n",
           accepted.name, accepted.member_count, (unsigned long long)accepted.epoch,
           options->federation, id);
    return 0;
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
    source.file = options->passphrase_file;
    if (source.file == NULL && configuration->unlock == UNLOCK_CREDENTIAL)
        source.credential = "consilium-passphrase";
    else if (source.file == NULL)
        source.file = configuration->passphrase_file;
    return source;
}

/* Says what was looked at. Sealed keys are opened only when nobody has to type. */
static int check(const struct options *options, const struct configuration *configuration,
                 struct secrets *secrets)
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
    printf("%s: all settings are good, %zu federations%s\n", options->config,
           configuration->federation_count, note);
    return 0;
}

static int run(const struct options *options, struct secrets *secrets)
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
    if (!secrets_locked(secrets))
        log_warn("memory-not-locked", log_text("do", "raise the limit: ulimit -l, LimitMEMLOCK"));
    int status = daemon_run(&configuration, &identity);
    configuration_free(&configuration);
    return status;
}

int main(int argc, char **argv)
{
    struct options options = {.config = "/etc/consilium/consiliumd.conf"};
    struct secrets *secrets;
    const struct argp argp = {
        .options = option_list,
        .parser = take_option,
        .args_doc = "\ninit --data DIR --name NAME --country CC --board TAG --request FILE\n"
                    "join --data DIR --federation NAME INVITATION",
        .doc = "Runs a hospital's Consilium node.\v"
               "`init` makes the institution's identity and its request to the society; `join` "
               "takes the invitation that comes back. NO REAL PATIENTS YET: de-identification is "
               "not built. Not for emergencies.",
    };
    if (argp_parse(&argp, argc, argv, 0, NULL, &options) != 0)
        return 2;
    if (options.help_config) {
        config_help(&configuration_schema, stdout);
        return 0;
    }
    if (sodium_init() < 0 || secrets_harden() != OK || secrets_new(SECRETS_SIZE, &secrets) != OK)
        return fail("the operating system gives no protected memory; do not run here");
    int status;
    if (options.command != NULL && strcmp(options.command, "init") == 0)
        status = init(&options, secrets);
    else if (options.command != NULL && strcmp(options.command, "join") == 0)
        status = join(&options, secrets);
    else
        status = run(&options, secrets);
    secrets_free(secrets);
    return status;
}
