/* What is generated from the command table: completion for bash, and a part of the manual page. */
#ifndef CONSILIUM_NODE_CLI_MANUAL_H
#define CONSILIUM_NODE_CLI_MANUAL_H

/* Completion for bash: commands, then the options of each. */
void manual_completion(void);
/* The part of consilium(1) that describes the commands, in troff. */
void manual_commands(void);

#endif
