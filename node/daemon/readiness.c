#include "node/daemon/readiness.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "node/os/file.h"
#include "node/os/keyfile.h"
#include "node/runtime/runtime.h"

enum { READINESS_TEXT_SIZE = 900, READINESS_PATH_SIZE = 4200, READINESS_SOCKET_SIZE_MAX = 107 };

/* One complaint: of which setting, and where it goes. */
struct readiness_finding {
    const struct configuration *configuration;
    const char *section;
    const char *key;
    struct config_trouble *trouble;
};

__attribute__((format(printf, 2, 3))) static err
readiness_say(const struct readiness_finding *finding, const char *format, ...)
{
    char what[READINESS_TEXT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    config_complain(finding->configuration->config, finding->section, finding->key, what,
                    finding->trouble);
    return ERR_INVALID;
}

static struct readiness_finding readiness_of(const struct configuration *configuration,
                                             const char *key, struct config_trouble *trouble)
{
    return (struct readiness_finding){configuration, "", key, trouble};
}

/* ---- directory and keys ---- */

static err readiness_data(const struct configuration *configuration, struct config_trouble *trouble)
{
    const struct readiness_finding data = readiness_of(configuration, "data", trouble);
    struct stat status;
    if (stat(configuration->data, &status) != 0)
        return readiness_say(&data, "%.300s: %s; make it with `consiliumd init`",
                             configuration->data, strerror(errno));
    if (!S_ISDIR(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & 077) != 0)
        return readiness_say(&data,
                             "%.300s is not a directory of this user's alone; run as its owner, or "
                             "chown it and chmod 700",
                             configuration->data);
    return OK;
}

/* A directory that is there if it is named. */
static err readiness_directory(const struct configuration *configuration, const char *setting,
                               const char *path, struct config_trouble *trouble)
{
    const struct readiness_finding finding = readiness_of(configuration, setting, trouble);
    struct stat status;
    if (path == NULL)
        return OK;
    if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode) || status.st_uid != geteuid() ||
        (status.st_mode & 077) != 0)
        return readiness_say(&finding,
                             "%.300s is not a directory of this user's alone; make it, chown it "
                             "and chmod 700",
                             path);
    return OK;
}

static const char *readiness_key_reason(err failure)
{
    if (failure == ERR_NOT_ENTITLED)
        return "belongs to someone else, or others may read it; chown it to this user, chmod 600";
    if (failure == ERR_NOT_FOUND)
        return "is not there; make it with `consiliumd init`, or restore it from the backup";
    return failure == ERR_IO ? strerror(errno) : err_sentence(failure);
}

static err readiness_key(const struct configuration *configuration, const char *name,
                         enum keyfile_kind kind, bool *ret_is_sealed,
                         struct config_trouble *trouble)
{
    const struct readiness_finding data = readiness_of(configuration, "data", trouble);
    char path[READINESS_PATH_SIZE];
    struct keyfile keyfile;
    int fd = -1;
    (void)snprintf(path, sizeof path, "%s/%s", configuration->data, name);
    err failure = file_open_private(path, &fd);
    if (failure == OK) {
        (void)close(fd);
        failure = keyfile_peek(path, &keyfile);
    }
    if (failure != OK)
        return readiness_say(&data, "%.300s: %s", path, readiness_key_reason(failure));
    if (keyfile.kind != kind)
        return readiness_say(&data, "%.300s: holds a %s; restore the right one from the backup",
                             path, keyfile_kind_name(keyfile.kind));
    *ret_is_sealed = keyfile.sealed;
    return OK;
}

/* How the keys open is chosen in the settings, and fits how they lie there. */
static err readiness_unlock(const struct configuration *configuration, bool is_sealed,
                            struct config_trouble *trouble)
{
    const struct readiness_finding unlock = readiness_of(configuration, "unlock", trouble);
    const struct readiness_finding named = readiness_of(configuration, "passphrase-file", trouble);
    enum configuration_unlock route = configuration->unlock;
    int fd = -1;
    if (route == UNLOCK_PASSPHRASE_FILE && configuration->passphrase_file == NULL)
        return readiness_say(&unlock, "wants a line passphrase-file = FILE as well");
    if (configuration->passphrase_file != NULL && route != UNLOCK_AS_THEY_LIE &&
        route != UNLOCK_PASSPHRASE_FILE)
        return readiness_say(&named, "is not used with this `unlock`; leave one of them out");
    if (is_sealed && route == UNLOCK_KEY_FILE)
        return readiness_say(&unlock, "the keys are sealed under a passphrase; write prompt, "
                                      "passphrase-file or credential");
    if (!is_sealed && route != UNLOCK_KEY_FILE && route != UNLOCK_AS_THEY_LIE)
        return readiness_say(&unlock, "the keys lie bare in the directory of data: whoever has "
                                      "the disk has them; write key-file if that is meant");
    err failure = OK;
    if (configuration->passphrase_file != NULL)
        failure = file_open_private(configuration->passphrase_file, &fd);
    if (fd >= 0)
        (void)close(fd);
    if (failure == ERR_NOT_FOUND)
        return readiness_say(&named, "%.300s is not there; write the passphrase into it, mode 600",
                             configuration->passphrase_file);
    return failure == OK ? OK
                         : readiness_say(&named, "%.300s: %s", configuration->passphrase_file,
                                         readiness_key_reason(failure));
}

static err readiness_keys(const struct configuration *configuration, struct config_trouble *trouble)
{
    const struct readiness_finding data = readiness_of(configuration, "data", trouble);
    const struct readiness_finding whose = readiness_of(configuration, "institution", trouble);
    struct identity identity;
    char problem[IDENTITY_PROBLEM_SIZE];
    bool identity_sealed = false, store_sealed = false;
    err failure =
        readiness_key(configuration, "identity.key", KEYFILE_NODE, &identity_sealed, trouble);
    if (failure == OK)
        failure = readiness_key(configuration, "store.key", KEYFILE_STORE, &store_sealed, trouble);
    if (failure != OK)
        return failure;
    if (identity_peek(configuration->data, &identity, problem) != OK)
        return readiness_say(&data, "%s", problem);
    if (configuration->institution != NULL &&
        strcmp(configuration->institution, identity.name) != 0)
        return readiness_say(&whose,
                             "the keys in %.200s are of \"%.200s\"; name the directory of this "
                             "institution's keys in `data`",
                             configuration->data, identity.name);
    return readiness_unlock(configuration, identity_sealed || store_sealed, trouble);
}

/* ---- the socket ---- */

static err readiness_socket(const struct configuration *configuration,
                            struct config_trouble *trouble)
{
    const struct readiness_finding socket = readiness_of(configuration, "socket", trouble);
    const struct readiness_finding group = readiness_of(configuration, "group", trouble);
    const struct readiness_finding administrators =
        readiness_of(configuration, "administrators", trouble);
    const struct readiness_finding officers =
        readiness_of(configuration, "privacy-officers", trouble);
    char folder[CONFIGURATION_PATH_SIZE];
    struct stat status;
    if (configuration->group != NULL && getgrnam(configuration->group) == NULL)
        return readiness_say(&group, "there is no such group; make it with groupadd, or leave the "
                                     "line out: then only root and the daemon's user get in");
    if (configuration->administrators != NULL && getgrnam(configuration->administrators) == NULL)
        return readiness_say(&administrators,
                             "there is no such group; make it with groupadd, or leave the line "
                             "out: then only root and the daemon's user make accounts");
    if (configuration->privacy_officers != NULL &&
        getgrnam(configuration->privacy_officers) == NULL)
        return readiness_say(&officers,
                             "there is no such group; make it with groupadd, or leave the line "
                             "out: then only administrators see the whole audit log");
    if (strlen(configuration->socket) > READINESS_SOCKET_SIZE_MAX)
        return readiness_say(&socket, "longer than the %d bytes that a Unix socket may have",
                             READINESS_SOCKET_SIZE_MAX);
    configuration_socket_folder(configuration, folder);
    if (stat(folder, &status) != 0)
        return readiness_say(&socket, "its folder %.300s: %s; make it, this user's own", folder,
                             strerror(errno));
    if (!S_ISDIR(status.st_mode) || access(folder, W_OK | X_OK) != 0)
        return readiness_say(&socket,
                             "its folder %.300s is not one that this user may write in; chown it, "
                             "or choose another",
                             folder);
    if (stat(configuration->socket, &status) == 0 && !S_ISSOCK(status.st_mode))
        return readiness_say(&socket, "something else lies there already; move it away, or choose "
                                      "another path");
    return OK;
}

err readiness_check(const struct configuration *configuration, struct config_trouble *ret_trouble)
{
    err failure = readiness_data(configuration, ret_trouble);
    if (failure == OK)
        failure = readiness_keys(configuration, ret_trouble);
    if (failure == OK)
        failure = readiness_directory(configuration, "marker", configuration->marker, ret_trouble);
    if (failure == OK)
        failure = readiness_directory(configuration, "recordings", configuration->recordings,
                                      ret_trouble);
    return failure == OK ? readiness_socket(configuration, ret_trouble) : failure;
}

/* ---- apart from a running node ---- */

bool readiness_is_running(const struct configuration *configuration)
{
    bool is_running = false;
    for (size_t i = 0; !is_running && i < configuration->federation_count; i++) {
        char path[READINESS_PATH_SIZE];
        (void)snprintf(path, sizeof path, "%s/lock", configuration->federations[i].data);
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        is_running = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
        if (fd >= 0)
            (void)close(fd);
    }
    return is_running;
}

/* A socket bound there, or -1 with errno; 0 in errno when only a start can tell. */
static int readiness_bind(const struct address *address)
{
    const struct addrinfo wanted = {.ai_family = address->v6 ? AF_INET6 : AF_INET,
                                    .ai_socktype = SOCK_STREAM,
                                    .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char port[8];
    const int on = 1;
    (void)snprintf(port, sizeof port, "%u", address->port);
    errno = 0;
    if (getaddrinfo(address->any ? NULL : address->host, port, &wanted, &found) != 0) {
        errno = 0;
        return -1;
    }
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
                    bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, 1) != 0)) {
        int error_before = errno;
        (void)close(fd);
        errno = error_before;
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

static err readiness_listen(const struct readiness_finding *listen, const struct address *address,
                            int *ret_fd)
{
    char text[ADDRESS_TEXT_MAX];
    *ret_fd = readiness_bind(address);
    if (*ret_fd >= 0 || errno == 0)
        return OK;
    const char *what = errno == EADDRINUSE ? "the port is in use; choose another, or stop what "
                                             "listens there"
                       : errno == EADDRNOTAVAIL
                           ? "this machine has no such address; name one of its own, or 0.0.0.0"
                           : strerror(errno);
    address_format(address, text);
    return readiness_say(listen, "%s: %s", text, what);
}

static bool readiness_is_served(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memcpy(address.sun_path, path, strnlen(path, sizeof address.sun_path - 1));
    bool is_served = fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    if (fd >= 0)
        (void)close(fd);
    return is_served;
}

err readiness_check_apart(const struct configuration *configuration,
                          struct config_trouble *ret_trouble)
{
    int fds[CONFIGURATION_FEDERATION_MAX * CONFIGURATION_LISTEN_MAX];
    size_t count = 0;
    err failure = OK;
    const struct readiness_finding socket = readiness_of(configuration, "socket", ret_trouble);
    if (readiness_is_served(configuration->socket))
        failure = readiness_say(&socket, "another consiliumd serves it; stop that one, or choose "
                                         "another path");
    for (size_t i = 0; failure == OK && i < configuration->federation_count; i++) {
        const struct configuration_federation *federation = &configuration->federations[i];
        struct readiness_finding finding = {configuration, federation->section, "id", ret_trouble};
        char path[READINESS_PATH_SIZE];
        (void)snprintf(path, sizeof path, "%s/data.mdb", federation->data);
        if (access(path, F_OK) != 0)
            failure = readiness_say(&finding,
                                    "no invitation was taken into %.300s yet; ask the society for "
                                    "one, then `consiliumd join`",
                                    federation->data);
        finding.key = "listen";
        for (size_t j = 0; failure == OK && j < federation->listen_count; j++)
            failure = readiness_listen(&finding, &federation->listen[j], &fds[count++]);
    }
    while (count > 0)
        if (fds[--count] >= 0)
            (void)close(fds[count]);
    return failure;
}

err readiness_check_stores(const struct configuration *configuration,
                           const struct identity *identity, struct config_trouble *ret_trouble)
{
    err failure = OK;
    for (size_t i = 0; failure == OK && i < configuration->federation_count; i++) {
        const struct configuration_federation *federation = &configuration->federations[i];
        const struct readiness_finding finding = {configuration, federation->section, "id",
                                                  ret_trouble};
        const struct store_options options = {
            .owner = runtime_owner(&federation->id, &identity->node_id),
            .quota = federation->quota};
        char problem[STORE_PROBLEM_SIZE] = "";
        struct store *store = NULL;
        if (store_open(federation->data, identity->store_key, &options, problem, &store) != OK)
            failure = readiness_say(&finding, "%s", problem);
        else
            store_close(store);
    }
    return failure;
}
