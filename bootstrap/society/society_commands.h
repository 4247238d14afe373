/* The table of all commands of consilium-society, with their help. */
#ifndef CONSILIUM_BOOTSTRAP_SOCIETY_SOCIETY_COMMANDS_H
#define CONSILIUM_BOOTSTRAP_SOCIETY_SOCIETY_COMMANDS_H

#include <stddef.h>

#include "bootstrap/society/society_options.h"

struct society_command {
    const char *name; /* one word or two */
    const char *usage;
    uint32_t arguments_min, arguments_max;
    int (*run)(const struct society_options *options);
    const char *what; /* one line */
    const char *more; /* what to know before; may be NULL */
};

extern const struct society_command society_commands[];
extern const size_t society_commands_count;

/* Prints the text of `COMMAND --help`. */
void society_commands_tell(const struct society_command *command);

#endif
