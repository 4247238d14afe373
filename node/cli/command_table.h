/* All commands of `consilium`. */
#ifndef CONSILIUM_NODE_CLI_COMMAND_TABLE_H
#define CONSILIUM_NODE_CLI_COMMAND_TABLE_H

#include "node/cli/command/command.h"

/* Ends with a NULL name; a name of "#" is a heading. */
extern const struct command command_table_commands[];

/* The command whose name are the first words of argv; `ret_words` says how many. NULL: none. */
const struct command *command_table_find(int argc, char **argv, int *ret_words);
/* The commands of two words that begin with `word`; false when there are none. */
bool command_table_list_group(const char *word);
/* All commands with their help, grouped. */
void command_table_list(void);

#endif
