/* Passphrases: from the terminal without echo, from a file, or from a file descriptor; never from
 * an argument or the environment. */
#ifndef CONSILIUM_NODE_OS_PASSPHRASE_H
#define CONSILIUM_NODE_OS_PASSPHRASE_H

#include <stdbool.h>

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"

enum { PASSPHRASE_SIZE_MAX = 1024, PASSPHRASE_NEW_SIZE_MIN = 8 };

/* The first that is set is used: `known`, then `file`, `credential`, `fd`, and the terminal. */
struct passphrase_source {
    const struct bytes *known; /* NULL: none; asked for before, and not to be asked for again */
    const char *file; /* NULL: none; its first line, and only its owner may touch the file */
    /* NULL: none; its name among the credentials that systemd gives a service (systemd.exec(5)) */
    const char *credential;
    int fd; /* negative: none; read up to the first newline or the end */
};

#define PASSPHRASE_TERMINAL ((struct passphrase_source){.fd = -1})

/* Reads one into `ret`, which is over locked memory of at least PASSPHRASE_SIZE_MAX bytes. `is_new`
 * asks twice at the terminal and refuses less than PASSPHRASE_NEW_SIZE_MIN bytes. The prompt is
 * written to the terminal itself, as `PROMPT: `.
 *
 *   ERR_NOT_FOUND     no such file or credential, or no terminal: name --passphrase-file
 *   ERR_NOT_ENTITLED  the file is open to others
 *   ERR_INVALID       empty, too short for a new one, or the two differ
 *   ERR_TOO_LARGE     over PASSPHRASE_SIZE_MAX
 *   ERR_IO            errno says why */
MUST_USE err passphrase_read(const struct passphrase_source *source, const char *prompt,
                             bool is_new, struct buffer *ret);

#endif
