#include "node/cli/terminal/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/cli/terminal/term.h"

bool output_file_open(struct output_file *file, const char *path)
{
    file->path = path;
    int size = snprintf(file->part, sizeof file->part, "%s.part-XXXXXX", path);
    bool is_long = size < 0 || (size_t)size >= sizeof file->part;
    int fd = is_long ? -1 : mkostemp(file->part, O_CLOEXEC);
    file->stream = fd < 0 ? NULL : fdopen(fd, "wb");
    if (file->stream != NULL)
        return true;
    if (is_long || errno == ENAMETOOLONG)
        term_problem("%.40s...: the name is too long; name a shorter one", path);
    else
        term_problem("%s: cannot be created: %s; name another place", path, strerror(errno));
    if (fd >= 0) {
        (void)unlink(file->part);
        (void)close(fd);
    }
    return false;
}

void output_file_discard(struct output_file *file)
{
    (void)fclose(file->stream);
    (void)unlink(file->part);
}

/* Gives the name, unless it is taken: EEXIST. */
static bool output_file_name(const struct output_file *file, bool may_replace)
{
    if (may_replace)
        return rename(file->part, file->path) == 0;
    if (renameat2(AT_FDCWD, file->part, AT_FDCWD, file->path, RENAME_NOREPLACE) == 0)
        return true;
    if (errno != EINVAL) /* some file systems, such as NFS, cannot do it in one step */
        return false;
    return link(file->part, file->path) == 0 && unlink(file->part) == 0;
}

static bool output_file_same(FILE *one, FILE *other)
{
    int left, right;
    do {
        left = getc(one);
        right = getc(other);
    } while (left == right && left != EOF);
    return left == right && !ferror(one) && !ferror(other);
}

/* True when `path` is a regular file, no link, with the same content. */
static bool output_file_is_same(const struct output_file *file)
{
    int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    struct stat about;
    FILE *one = fd < 0 ? NULL : fdopen(fd, "rb");
    FILE *other = one == NULL ? NULL : fopen(file->part, "rb");
    bool is_same = other != NULL && fstat(fd, &about) == 0 && S_ISREG(about.st_mode) &&
                   output_file_same(one, other);
    if (other != NULL)
        (void)fclose(other);
    if (one != NULL)
        (void)fclose(one);
    else if (fd >= 0)
        (void)close(fd);
    return is_same;
}

bool output_file_commit(struct output_file *file, bool may_replace)
{
    bool is_written = fflush(file->stream) == 0 && fsync(fileno(file->stream)) == 0;
    is_written = fclose(file->stream) == 0 && is_written;
    if (is_written && output_file_name(file, may_replace))
        return true;
    bool is_taken = is_written && errno == EEXIST && !may_replace;
    int reason = errno;
    bool is_same = is_taken && output_file_is_same(file);
    (void)unlink(file->part);
    if (is_taken && !is_same)
        term_problem("%s: exists already, with other content; name another file or folder, or "
                     "replace it with --yes",
                     file->path);
    else if (!is_taken)
        term_problem("%s: cannot be written: %s", file->path, strerror(reason));
    return is_same;
}
