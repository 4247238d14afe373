#include "node/cli/secret.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "node/cli/term.h"
#include "node/os/passphrase.h"

static void secret_explain_file(const char *file, err failure)
{
    if (failure == ERR_NOT_ENTITLED)
        term_problem("%s: others may read it, or it is another user's: chmod 600 makes it yours "
                     "alone (mode 600)",
                     file);
    else if (failure == ERR_NOT_FOUND)
        term_problem("%s: there is no such file", file);
    else if (failure == ERR_IO)
        term_problem("%s: %s", file, strerror(errno));
    else if (failure == ERR_TOO_LARGE)
        term_problem("%s: its first line is longer than %d bytes", file, PASSPHRASE_SIZE_MAX);
    else
        term_problem("%s: its first line holds no passphrase", file);
}

static void secret_explain(enum secret_use use, const char *file, err failure)
{
    if (use == SECRET_NEW && failure == ERR_INVALID)
        term_problem("%s%sa new passphrase has at least %d characters, typed twice the same",
                     file == NULL ? "" : file, file == NULL ? "" : ": ", PASSPHRASE_NEW_SIZE_MIN);
    else if (file != NULL)
        secret_explain_file(file, failure);
    else if (failure == ERR_NOT_FOUND)
        term_problem("a passphrase is wanted, and there is no terminal to type it at: name a file "
                     "that holds it (mode 600)");
    else if (failure == ERR_INVALID)
        term_problem("nothing was typed; nothing was done");
    else
        term_problem("the passphrase could not be read: %s",
                     failure == ERR_IO ? strerror(errno) : err_sentence(failure));
}

char *secret_read(enum secret_use use, const char *file, const char *prompt)
{
    static char memory[SECRET_USE_COUNT][PASSPHRASE_SIZE_MAX + 1];
    char *secret = memory[use];
    struct buffer buffer = buffer_over((uint8_t *)secret, PASSPHRASE_SIZE_MAX);
    struct passphrase_source source = {.file = file, .fd = -1};
    if (secret[0] != '\0')
        return secret;
    (void)sodium_mlock(secret, PASSPHRASE_SIZE_MAX + 1);
    err failure = passphrase_read(&source, prompt, use == SECRET_NEW, &buffer);
    if (failure != OK) {
        secret_explain(use, file, failure);
        return NULL;
    }
    secret[buffer.size] = '\0';
    return secret;
}
