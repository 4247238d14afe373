/* Passphrases: typed at the terminal, or the first line of a file. */
#ifndef CONSILIUM_NODE_CLI_TERMINAL_SECRET_H
#define CONSILIUM_NODE_CLI_TERMINAL_SECRET_H

enum secret_use { SECRET_OLD, SECRET_NEW, SECRET_USE_COUNT };

/* The passphrase in `file`, or when that is NULL from the terminal, which is asked `prompt` (a new
 * one twice). In locked memory, one for each use, until the program ends: asked for once per run.
 * NULL after an error, which was printed. */
char *secret_read(enum secret_use use, const char *file, const char *prompt);

#endif
