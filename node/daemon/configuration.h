/* The settings of consiliumd: consiliumd.conf(5). */
#ifndef CONSILIUM_NODE_DAEMON_CONFIGURATION_H
#define CONSILIUM_NODE_DAEMON_CONFIGURATION_H

#include "node/config/config.h"
#include "node/os/address.h"
#include "node/os/log.h"
#include "protocol/base/ids.h"

enum {
    CONFIGURATION_FEDERATION_MAX = 8,
    CONFIGURATION_LISTEN_MAX = 4,
    CONFIGURATION_PATH_SIZE = 4096,
};

struct configuration_federation {
    const char *section; /* "federation north" */
    const char *name;    /* "north": also the directory of its store, and its part of API paths */
    char data[4096];     /* DATA/north */
    char marker[4096];   /* MARKER/north.marker; empty: none */
    struct federation_id id;
    struct address listen[CONFIGURATION_LISTEN_MAX];
    size_t listen_count;
    bool grants_by_hand;
    uint64_t quota;
};

/* How the keys of `data` open at a start. spec/storage.md says what each gives away. */
enum configuration_unlock {
    UNLOCK_AS_THEY_LIE, /* bare ones as they are; sealed ones by passphrase-file, or the terminal */
    UNLOCK_KEY_FILE,
    UNLOCK_PROMPT,
    UNLOCK_PASSPHRASE_FILE,
    UNLOCK_CREDENTIAL,
};

/* Texts live as long as `config`. */
struct configuration {
    struct config *config;
    const char *data;
    const char *marker;     /* NULL: none */
    const char *recordings; /* NULL: none are made */
    char socket[CONFIGURATION_PATH_SIZE];
    const char *group;            /* NULL: only the daemon's user and root */
    const char *administrators;   /* NULL: the same */
    const char *privacy_officers; /* NULL: administrators only */
    const char *institution;      /* NULL: whose keys they are is not checked */
    enum configuration_unlock unlock;
    const char *passphrase_file;
    enum log_level log_level;
    unsigned workers; /* 0: as many as there are cores */
    struct configuration_federation federations[CONFIGURATION_FEDERATION_MAX];
    size_t federation_count;
};

extern const struct config_schema configuration_schema;

/* Reads and judges all of it; on failure `ret_trouble` holds one line that says which setting and
 * what to do. ERR_NOT_FOUND, ERR_IO, ERR_INVALID. */
MUST_USE err configuration_load(const char *path, struct configuration *ret_configuration,
                                struct config_trouble *ret_trouble);
void configuration_free(struct configuration *configuration);

/* The folder that the socket is in: "." for a name without a slash, "/" for one in the root. */
void configuration_socket_folder(const struct configuration *configuration,
                                 char ret_folder[static CONFIGURATION_PATH_SIZE]);

#endif
