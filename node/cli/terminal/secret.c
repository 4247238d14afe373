#include "node/cli/terminal/secret.h"

#include <errno.h>
#include <sodium.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "node/cli/terminal/input_file.h"
#include "node/cli/terminal/term.h"
#include "node/os/passphrase.h"

static bool secret_is_regular(const char *file)
{
    struct stat about;
    return stat(file, &about) == 0 && S_ISREG(about.st_mode);
}

static void secret_explain_file(const char *file, err failure)
{
    if (failure == ERR_NOT_ENTITLED)
        term_problem(
            "%s: another user owns it or may read it; run chmod 600 on it, as its owner (mode "
            "600)",
            file);
    else if (failure == ERR_NOT_FOUND || failure == ERR_IO || !secret_is_regular(file))
        input_file_explain(file, PASSPHRASE_SIZE_MAX, failure);
    else if (failure == ERR_TOO_LARGE)
        term_problem("%s: its first line is longer than %d bytes", file, PASSPHRASE_SIZE_MAX);
    else
        term_problem("%s: the first line is empty; write the passphrase there", file);
}

static void secret_explain(enum secret_use use, const char *file, err failure)
{
    if (use == SECRET_NEW && failure == ERR_INVALID)
        term_problem(
            "%s%sa new passphrase needs at least %d characters, and must be typed twice the same",
            file == NULL ? "" : file, file == NULL ? "" : ": ", PASSPHRASE_NEW_SIZE_MIN);
    else if (file != NULL)
        secret_explain_file(file, failure);
    else if (failure == ERR_NOT_FOUND)
        term_problem(
            "a passphrase is needed, and there is no terminal to type it; name a file that "
            "contains it (mode 600) with --passphrase-file");
    else if (failure == ERR_INVALID)
        term_problem("no passphrase was typed; nothing was done");
    else
        term_problem("cannot read the passphrase: %s",
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
