#include "node/daemon/configuration.h"

#include <stdio.h>
#include <string.h>

static const char *const configuration_levels[] = {"error", "warn", "info", "debug", NULL};
static const char *const configuration_unlocks[] = {"key-file", "prompt", "passphrase-file",
                                                    "credential", NULL};
static const char *const configuration_grants[] = {"automatic", "by-hand", NULL};

static const struct config_setting configuration_settings[] = {
    {.section = "",
     .key = "data",
     .type = CONFIG_PATH,
     .required = true,
     .help = "Directory of keys and stores; made by `consiliumd init`, readable by the daemon "
             "alone."},
    {.section = "",
     .key = "institution",
     .type = CONFIG_TEXT,
     .help = "Name of this institution, as `init` was given it; then another's directory is "
             "refused."},
    {.section = "",
     .key = "unlock",
     .type = CONFIG_CHOICE,
     .choices = configuration_unlocks,
     .help = "How the keys open at a start: bare from `data`, a passphrase typed at the terminal, "
             "in passphrase-file, or in the systemd credential consilium-passphrase; without it, "
             "as the keys lie there."},
    {.section = "",
     .key = "socket",
     .type = CONFIG_PATH,
     .help = "Unix socket for clinicians and programs of this hospital; default "
             "DATA/consilium.sock."},
    {.section = "",
     .key = "group",
     .type = CONFIG_TEXT,
     .help = "Group whose members may use the socket; without it, only root and the daemon's "
             "user may."},
    {.section = "",
     .key = "administrators",
     .type = CONFIG_TEXT,
     .help = "Group whose members may besides make and revoke clinicians' accounts; without it, "
             "only root and the daemon's user may."},
    {.section = "",
     .key = "privacy-officers",
     .type = CONFIG_TEXT,
     .help =
         "Group whose members may besides read and export the whole audit log; without it, only "
         "administrators may."},
    {.section = "",
     .key = "passphrase-file",
     .type = CONFIG_PATH,
     .help = "File with the passphrase of sealed keys (mode 600), best on a medium that can be "
             "taken away."},
    {.section = "",
     .key = "marker",
     .type = CONFIG_PATH,
     .help = "Directory, outside of backups, in which the node notes how far its own streams came, "
             "so that it knows an older copy of its store; without it, nothing is written after a "
             "start before another member was there."},
    {.section = "",
     .key = "recordings",
     .type = CONFIG_PATH,
     .help = "Directory into which all that happens is recorded, until it is 4 GiB, for those who "
             "repair this program. With its .key a recording opens all cases; an erasure deletes "
             "those that are there."},
    {.section = "",
     .key = "log",
     .type = CONFIG_CHOICE,
     .fallback = "info",
     .choices = configuration_levels,
     .help = "What is logged: this and what is worse."},
    {.section = "",
     .key = "workers",
     .type = CONFIG_INT,
     .fallback = "0",
     .min = 0,
     .max = 64,
     .help = "Threads that check signatures; 0: as many as there are cores."},
    {.section = "federation *",
     .key = "id",
     .type = CONFIG_TEXT,
     .required = true,
     .help = "The federation's id, 64 hexadecimal digits, as `consiliumd join` shows it."},
    {.section = "federation *",
     .key = "listen",
     .type = CONFIG_ENDPOINT,
     .many = true,
     .help = "Where other members may reach this node directly; without it, it accepts no "
             "connection and is reached through relays."},
    {.section = "federation *",
     .key = "grants",
     .type = CONFIG_CHOICE,
     .fallback = "automatic",
     .choices = configuration_grants,
     .help = "Whether a clinician who joins gets the case file at once, up to the number of "
             "opinions wanted, or when somebody here says so."},
    {.section = "federation *",
     .key = "quota",
     .type = CONFIG_SIZE,
     .fallback = "8G",
     .min = 64 * 1024 * 1024,
     .max = INT64_C(16) * 1024 * 1024 * 1024 * 1024,
     .help = "Room for records of this federation."},
};

const struct config_schema configuration_schema = {
    configuration_settings, sizeof configuration_settings / sizeof configuration_settings[0]};

static bool configuration_name_ok(const char *name)
{
    return name[0] != '\0' && strlen(name) <= 32 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(name);
}

static err configuration_listen(const struct configuration *configuration,
                                struct configuration_federation *federation,
                                struct config_trouble *ret_trouble)
{
    size_t count = config_count(configuration->config, federation->section, "listen");
    if (count > CONFIGURATION_LISTEN_MAX) {
        config_complain(configuration->config, federation->section, "listen",
                        "at most 4 endpoints; leave some out", ret_trouble);
        return ERR_INVALID;
    }
    for (size_t i = 0; i < count; i++) {
        const char *text = config_item(configuration->config, federation->section, "listen", i);
        if (address_parse(bytes_of_text(text), &federation->listen[i]) != OK) {
            config_complain(configuration->config, federation->section, "listen",
                            "not an endpoint such as tcp://0.0.0.0:7801", ret_trouble);
            return ERR_INVALID;
        }
    }
    federation->listen_count = count;
    return OK;
}

static err configuration_federation(struct configuration *configuration, const char *section,
                                    struct config_trouble *ret_trouble)
{
    struct config *config = configuration->config;
    struct configuration_federation *federation =
        &configuration->federations[configuration->federation_count];
    federation->section = section;
    federation->name = strchr(section, ' ') + 1;
    if (!configuration_name_ok(federation->name)) {
        config_complain(config, section, "id",
                        "the section's name may hold a-z, 0-9 and -, at most 32; rename it",
                        ret_trouble);
        return ERR_INVALID;
    }
    if (ids_from_hex(config_text(config, section, "id"), federation->id.bytes, HASH_SIZE) != OK) {
        config_complain(config, section, "id",
                        "not 64 hexadecimal digits; `consiliumd join` shows the federation's id",
                        ret_trouble);
        return ERR_INVALID;
    }
    snprintf(federation->data, sizeof federation->data, "%s/%s", configuration->data,
             federation->name);
    for (size_t i = 0; i < configuration->federation_count; i++) {
        if (ID_EQUAL(configuration->federations[i].id, federation->id)) {
            config_complain(config, section, "id",
                            "another section has this federation already; take one of them out",
                            ret_trouble);
            return ERR_INVALID;
        }
    }
    if (configuration->marker != NULL)
        snprintf(federation->marker, sizeof federation->marker, "%s/%s.marker",
                 configuration->marker, federation->name);
    federation->grants_by_hand = config_int(config, section, "grants") == 1;
    federation->quota = (uint64_t)config_int(config, section, "quota");
    configuration->federation_count++;
    return configuration_listen(configuration, federation, ret_trouble);
}

err configuration_load(const char *path, struct configuration *ret_configuration,
                       struct config_trouble *ret_trouble)
{
    struct configuration configuration = {.config = NULL};
    err failure = config_load(&configuration_schema, path, &configuration.config, ret_trouble);
    if (failure != OK)
        return failure;
    struct config *config = configuration.config;
    configuration.data = config_text(config, "", "data");
    configuration.institution = config_text(config, "", "institution");
    if (config_has(config, "", "unlock"))
        configuration.unlock = UNLOCK_KEY_FILE + (unsigned)config_int(config, "", "unlock");
    configuration.marker = config_text(config, "", "marker");
    configuration.recordings = config_text(config, "", "recordings");
    configuration.group = config_text(config, "", "group");
    configuration.administrators = config_text(config, "", "administrators");
    configuration.privacy_officers = config_text(config, "", "privacy-officers");
    configuration.passphrase_file = config_text(config, "", "passphrase-file");
    configuration.log_level = (enum log_level)config_int(config, "", "log");
    configuration.workers = (unsigned)config_int(config, "", "workers");
    const char *socket = config_text(config, "", "socket");
    snprintf(configuration.socket, sizeof configuration.socket, "%s%s",
             socket == NULL ? configuration.data : socket, socket == NULL ? "/consilium.sock" : "");
    size_t count = config_section_count(config, "federation *");
    if (count > CONFIGURATION_FEDERATION_MAX) {
        config_complain(config, "", "data", "at most 8 federations", ret_trouble);
        failure = ERR_INVALID;
    }
    for (size_t i = 0; failure == OK && i < count; i++)
        failure = configuration_federation(&configuration,
                                           config_section(config, "federation *", i), ret_trouble);
    if (failure != OK)
        config_free(config);
    else
        *ret_configuration = configuration;
    return failure;
}

void configuration_free(struct configuration *configuration)
{
    config_free(configuration->config);
    memset(configuration, 0, sizeof *configuration);
}

void configuration_socket_folder(const struct configuration *configuration,
                                 char ret_folder[static CONFIGURATION_PATH_SIZE])
{
    const char *slash = strrchr(configuration->socket, '/');
    if (slash == NULL)
        (void)snprintf(ret_folder, CONFIGURATION_PATH_SIZE, ".");
    else if (slash == configuration->socket)
        (void)snprintf(ret_folder, CONFIGURATION_PATH_SIZE, "/");
    else
        (void)snprintf(ret_folder, CONFIGURATION_PATH_SIZE, "%.*s",
                       (int)(slash - configuration->socket), configuration->socket);
}
