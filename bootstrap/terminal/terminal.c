#include "bootstrap/terminal/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "protocol/base/fingerprint.h"

static void terminal_say(const char *format, va_list arguments)
{
    fflush(stdout); /* so that the two streams keep their order */
    fputs("consilium-society: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

int terminal_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    terminal_say(format, arguments);
    va_end(arguments);
    return 1;
}

int terminal_usage(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    terminal_say(format, arguments);
    va_end(arguments);
    return 2;
}

const char *terminal_reason(err failure)
{
    switch ((int)failure) {
    case ERR_IO:
        return strerror(errno);
    case ERR_NOT_FOUND:
        return "there is no such file";
    case ERR_INVALID:
        return "it is not a regular file";
    case ERR_TOO_LARGE:
        return "it is larger than such a file can be";
    case ERR_EXISTS:
        return "it exists already and was not changed";
    default:
        return err_sentence(failure);
    }
}

void terminal_warning(const char *format, ...)
{
    va_list arguments;
    fflush(stdout); /* so that the two streams keep their order */
    fputs("consilium-society: warning: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

void terminal_date(struct wall time, char ret_text[static TERMINAL_DATE_SIZE])
{
    time_t seconds = (time_t)(time.ms / 1000);
    struct tm parts;
    if (gmtime_r(&seconds, &parts) == NULL ||
        strftime(ret_text, TERMINAL_DATE_SIZE, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        snprintf(ret_text, TERMINAL_DATE_SIZE, "?");
}

struct wall terminal_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (struct wall){(uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000};
}

/* Reads the terminal itself, so that a redirected standard input answers nothing by accident. */
bool terminal_ask(const char *question, char *ret_line, size_t size)
{
    bool answered = false;
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    FILE *tty = fd < 0 ? NULL : fdopen(fd, "r+");
    if (tty == NULL) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    fprintf(tty, "%s ", question);
    fflush(tty);
    if (fgets(ret_line, (int)size, tty) != NULL) {
        ret_line[strcspn(ret_line, "\n")] = '\0';
        answered = true;
    }
    fclose(tty);
    return answered;
}

bool terminal_confirm(const char *question, const char *option)
{
    char line[64];
    if (!terminal_ask(question, line, sizeof line)) {
        terminal_error("there is no terminal to ask for a confirmation; use %s", option);
        return false;
    }
    if (strcasecmp(line, "yes") == 0)
        return true;
    terminal_error("not confirmed; nothing was changed");
    return false;
}

bool terminal_fingerprint(const struct hash *hash, const char *typed, const char *whom)
{
    char wanted[FINGERPRINT_TEXT_SIZE], line[128], question[256];
    fingerprint_write(hash, wanted);
    if (typed != NULL)
        printf("  fingerprint  %s\n", wanted);
    fflush(stdout);
    if (typed == NULL) {
        typed = line;
        snprintf(
            question, sizeof question,
            "Call %s at a number that you know.\nType the fingerprint that they read out:", whom);
        if (!terminal_ask(question, line, sizeof line)) {
            terminal_error("there is no terminal to ask for the fingerprint; give --fingerprint as "
                           "%s reads it out",
                           whom);
            return false;
        }
    }
    if (fingerprint_matches(hash, typed))
        return true;
    terminal_error("this is not the fingerprint: it was misread or mistyped, or this is not the "
                   "file or key of %s; nothing was changed",
                   whom);
    return false;
}
