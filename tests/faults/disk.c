/* A disk for tests, loaded before libc (LD_PRELOAD): it writes down, in order and with the data, what a process does to
 * the files below a directory, and it fails when a test wants it to.
 *
 *   FAULT_DIRECTORY  the directory, without links in its path
 *   FAULT_LOG        where that is written down (tests/faults/disk.py reads it); none: nothing is
 *   FAULT_ORDERS     a file of struct orders that says what fails; none: nothing does
 *
 * It sees the calls of Python and those of SQLite. Writing by mmap cannot be seen, so that is noted as such. For 64 bits.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { KNOWN = 1, CREATE, WRITE, TRUNCATE, SYNC_BEGIN, SYNC_END, RENAME, UNLINK, LINK, MKDIR, RMDIR, MMAP };

struct entry { uint64_t at; uint32_t what, length; uint64_t file, a; };

struct orders {
    int32_t error;      /* the errno with which things fail; 0: all goes well */
    int32_t only_more;  /* only what makes a file longer fails, as on a full disk; else every change, as on a read-only one */
    int64_t left;       /* bytes that can still be written before that */
    int64_t refused;    /* how often something failed */
    char name[64];      /* only files with this in their path */
};

#define FILES 4096
static struct { dev_t device; ino_t inode; char path[PATH_MAX]; } *files;
static int known;
static char root[PATH_MAX];
static size_t root_length;
static int log_fd = -1;
static struct orders *orders;
static uint64_t syncs;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void begin(void) {
    const char *directory = getenv("FAULT_DIRECTORY"), *log = getenv("FAULT_LOG"), *said = getenv("FAULT_ORDERS");
    if (!directory) return;
    snprintf(root, sizeof root, "%s", directory);
    root_length = strlen(root);
    files = calloc(FILES, sizeof *files);
    if (log) log_fd = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (said) {
        int fd = syscall(SYS_openat, AT_FDCWD, said, O_RDWR | O_CLOEXEC);
        void *there = (void *)syscall(SYS_mmap, NULL, sizeof *orders, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        orders = there == MAP_FAILED ? NULL : there;
        close(fd);
    }
}

static void note(uint32_t what, uint64_t file, uint64_t a, const void *data, size_t length) {
    if (log_fd < 0) return;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    struct entry entry = {now.tv_sec * 1000000000ull + now.tv_nsec, what, length, file, a};
    struct iovec parts[2] = {{&entry, sizeof entry}, {(void *)data, length}};
    if (syscall(SYS_writev, log_fd, parts, 2) != (ssize_t)(sizeof entry + length)) abort();
}

static void note_names(uint32_t what, const char *old, const char *new) {
    char both[2 * PATH_MAX];
    int length = snprintf(both, sizeof both, "%s\n%s", old, new);
    note(what, 0, 0, both, length);
}

/* The path without the directory in front when it is below it, else NULL. */
static const char *below(int at, const char *path, char *whole) {
    if (!root_length) return NULL;
    if (path[0] == '/') {
        snprintf(whole, PATH_MAX, "%s", path);
    } else {
        char link[64], folder[PATH_MAX];
        if (at == AT_FDCWD) snprintf(link, sizeof link, "/proc/self/cwd");
        else snprintf(link, sizeof link, "/proc/self/fd/%d", at);
        ssize_t length = readlink(link, folder, sizeof folder - 1);
        if (length < 0) return NULL;
        folder[length] = 0;
        if (strlen(folder) + strlen(path) + 2 > PATH_MAX) return NULL;
        strcat(strcat(strcpy(whole, folder), "/"), path);
    }
    size_t length = strlen(whole);
    while (length > 1 && whole[length - 1] == '/') whole[--length] = 0;
    if (strncmp(whole, root, root_length)) return NULL;
    return whole[root_length] == '/' ? whole + root_length + 1 : whole[root_length] ? NULL : ".";
}

/* Whether this must fail now; errno says how. */
static int fails(const char *path) {
    if (!orders || !orders->error || orders->only_more || !strstr(path, orders->name)) return 0;
    __atomic_add_fetch(&orders->refused, 1, __ATOMIC_SEQ_CST);
    errno = orders->error;
    return 1;
}

static int find(int fd, struct stat *found) {
    if (!root_length || syscall(SYS_newfstatat, fd, "", found, AT_EMPTY_PATH)) return -1;
    for (int i = known - 1; i >= 0; i--)
        if (files[i].inode == found->st_ino && files[i].device == found->st_dev) return i;
    return -1;
}

static int open_file(int at, const char *path, int flags, mode_t mode) {
    char whole[PATH_MAX];
    const char *name = below(at, path, whole);
    if (!name) return syscall(SYS_openat, at, path, flags, mode);
    struct stat before, now;
    pthread_mutex_lock(&lock);
    int there = !syscall(SYS_newfstatat, at, path, &before, 0);
    int fd = -1;
    if (!((flags & O_CREAT && !there) || flags & O_TRUNC) || !fails(name))
        fd = syscall(SYS_openat, at, path, flags, mode);
    if (fd >= 0 && find(fd, &now) < 0 && known < FILES) {
        files[known].inode = now.st_ino;
        files[known].device = now.st_dev;
        snprintf(files[known++].path, PATH_MAX, "%s", name);
    }
    if (fd >= 0) {
        snprintf(files[find(fd, &now)].path, PATH_MAX, "%s", name);
        note(there ? KNOWN : CREATE, now.st_ino, S_ISDIR(now.st_mode), name, strlen(name));
        if (there && flags & O_TRUNC && before.st_size) note(TRUNCATE, now.st_ino, 0, NULL, 0);
    }
    int error = errno;
    pthread_mutex_unlock(&lock);
    errno = error;
    return fd;
}

#define MODE(last) mode_t mode = 0; if (flags & (O_CREAT | O_TMPFILE)) { \
    va_list more; va_start(more, last); mode = va_arg(more, mode_t); va_end(more); }
int open(const char *path, int flags, ...) { MODE(flags) return open_file(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) return open_file(AT_FDCWD, path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE(flags) return open_file(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE(flags) return open_file(at, path, flags, mode); }
int __open_2(const char *path, int flags) { return open_file(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return open_file(AT_FDCWD, path, flags, 0); }

/* offset < 0: where the file stands. */
static ssize_t write_at(int fd, const struct iovec *parts, int count, off_t offset) {
    struct stat found;
    int file = find(fd, &found), error;
    if (file < 0 || S_ISDIR(found.st_mode))
        return offset < 0 ? syscall(SYS_writev, fd, parts, count) : syscall(SYS_pwritev, fd, parts, count, offset, 0);
    pthread_mutex_lock(&lock);
    find(fd, &found);
    size_t length = 0, at = 0;
    for (int i = 0; i < count; i++) length += parts[i].iov_len;
    char *data = malloc(length + 1);
    for (int i = 0; i < count; at += parts[i++].iov_len) memcpy(data + at, parts[i].iov_base, parts[i].iov_len);
    off_t where = offset;
    if (syscall(SYS_fcntl, fd, F_GETFL) & O_APPEND) where = found.st_size;
    else if (offset < 0) where = syscall(SYS_lseek, fd, 0, SEEK_CUR);
    ssize_t written = -1;
    if (orders && orders->error && strstr(files[file].path, orders->name)) {
        off_t more = orders->only_more ? where + (off_t)length - found.st_size : (off_t)length;
        if (more > orders->left) {  /* what there is room for is written */
            length = more - orders->left >= (off_t)length ? 0 : length - (more - orders->left);
            more = orders->left;
            orders->refused++;
        }
        if (more > 0) orders->left -= more;
        errno = orders->error;
    }
    if (length || !count)
        written = offset < 0 ? syscall(SYS_write, fd, data, length) : syscall(SYS_pwrite64, fd, data, length, offset);
    error = errno;
    if (written > 0) note(WRITE, found.st_ino, where, data, written);
    free(data);
    pthread_mutex_unlock(&lock);
    errno = error;
    return written;
}

static ssize_t write_one(int fd, const void *data, size_t length, off_t offset) {
    struct iovec part = {(void *)data, length};
    return write_at(fd, &part, 1, offset);
}
ssize_t write(int fd, const void *data, size_t length) { return write_one(fd, data, length, -1); }
ssize_t pwrite(int fd, const void *data, size_t length, off_t at) { return write_one(fd, data, length, at); }
ssize_t pwrite64(int fd, const void *data, size_t length, off64_t at) { return write_one(fd, data, length, at); }
ssize_t writev(int fd, const struct iovec *parts, int count) { return write_at(fd, parts, count, -1); }
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) { return write_at(fd, parts, count, at); }
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) { return write_at(fd, parts, count, at); }

static int set_length(int fd, off_t length, int only_longer) {
    struct stat found;
    int file = find(fd, &found);
    if (file < 0) return syscall(SYS_ftruncate, fd, length);
    pthread_mutex_lock(&lock);
    find(fd, &found);
    int failed = 0;
    if (fails(files[file].path)) failed = -1;
    else if (!only_longer || length > found.st_size) failed = syscall(SYS_ftruncate, fd, length);
    int error = errno;
    if (!failed) note(TRUNCATE, found.st_ino, length, NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return failed;
}
int ftruncate(int fd, off_t length) { return set_length(fd, length, 0); }
int ftruncate64(int fd, off64_t length) { return set_length(fd, length, 0); }
int posix_fallocate(int fd, off_t at, off_t more) { return set_length(fd, at + more, 1) ? errno : 0; }
int posix_fallocate64(int fd, off64_t at, off64_t more) { return set_length(fd, at + more, 1) ? errno : 0; }
int fallocate(int fd, int mode, off_t at, off_t more) { errno = EOPNOTSUPP; return -1; }
int fallocate64(int fd, int mode, off64_t at, off64_t more) { errno = EOPNOTSUPP; return -1; }

static int set_length_by_name(const char *path, off_t length) {
    int fd = open_file(AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0);
    if (fd < 0) return -1;
    int failed = set_length(fd, length, 0);
    close(fd);
    return failed;
}
int truncate(const char *path, off_t length) { return set_length_by_name(path, length); }
int truncate64(const char *path, off64_t length) { return set_length_by_name(path, length); }

/* Copies within the kernel are refused, so that whoever copies goes on by reading and writing. */
ssize_t sendfile(int out, int in, off_t *at, size_t length) {
    struct stat found;
    if (find(out, &found) < 0) return syscall(SYS_sendfile, out, in, at, length);
    errno = EINVAL;
    return -1;
}
ssize_t sendfile64(int out, int in, off64_t *at, size_t length) { return sendfile(out, in, at, length); }
ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t length, unsigned flags) {
    errno = EXDEV;
    return -1;
}

static int sync_file(int fd, long call) {
    struct stat found;
    int file = find(fd, &found);
    if (file < 0) return syscall(call, fd);
    if (fails(files[file].path)) return -1;
    uint64_t number = __atomic_add_fetch(&syncs, 1, __ATOMIC_SEQ_CST);
    note(SYNC_BEGIN, found.st_ino, number, NULL, 0);
    int failed = syscall(call, fd), error = errno;
    if (!failed) note(SYNC_END, found.st_ino, number, NULL, 0);
    errno = error;
    return failed;
}
int fsync(int fd) { return sync_file(fd, SYS_fsync); }
int fdatasync(int fd) { return sync_file(fd, SYS_fdatasync); }

/* Something that changes names: done and noted under the lock, unless it is to fail. */
#define NAMED(at, path, call, what_is_noted) { \
    char whole[PATH_MAX]; \
    const char *name = below(at, path, whole); \
    if (!name) return call; \
    pthread_mutex_lock(&lock); \
    int failed = fails(name) ? -1 : call, error = errno; \
    if (!failed) what_is_noted; \
    pthread_mutex_unlock(&lock); \
    errno = error; \
    return failed; }
static int remove_name(int at, const char *path, int flags)
    NAMED(at, path, syscall(SYS_unlinkat, at, path, flags),
          note(flags & AT_REMOVEDIR ? RMDIR : UNLINK, 0, 0, name, strlen(name)))
int unlink(const char *path) { return remove_name(AT_FDCWD, path, 0); }
int unlinkat(int at, const char *path, int flags) { return remove_name(at, path, flags); }
int rmdir(const char *path) { return remove_name(AT_FDCWD, path, AT_REMOVEDIR); }
int remove(const char *path) {
    int failed = remove_name(AT_FDCWD, path, 0);
    return failed && errno == EISDIR ? rmdir(path) : failed;
}
int mkdirat(int at, const char *path, mode_t mode)
    NAMED(at, path, syscall(SYS_mkdirat, at, path, mode), note(MKDIR, 0, 0, name, strlen(name)))
int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }
int renameat2(int from, const char *old, int to, const char *new, unsigned flags) {
    char other[PATH_MAX];
    const char *old_name = below(from, old, other);
    if (!old_name) return syscall(SYS_renameat2, from, old, to, new, flags);
    NAMED(to, new, syscall(SYS_renameat2, from, old, to, new, flags), note_names(RENAME, old_name, name))
}
int renameat(int from, const char *old, int to, const char *new) { return renameat2(from, old, to, new, 0); }
int rename(const char *old, const char *new) { return renameat2(AT_FDCWD, old, AT_FDCWD, new, 0); }
int linkat(int from, const char *old, int to, const char *new, int flags) {
    char other[PATH_MAX];
    const char *old_name = below(from, old, other);
    if (!old_name) return syscall(SYS_linkat, from, old, to, new, flags);
    NAMED(to, new, syscall(SYS_linkat, from, old, to, new, flags), note_names(LINK, old_name, name))
}
int link(const char *old, const char *new) { return linkat(AT_FDCWD, old, AT_FDCWD, new, 0); }

static void *map(void *where, size_t length, int protection, int flags, int fd, off_t at) {
    struct stat found;
    if (flags & MAP_SHARED && protection & PROT_WRITE && fd >= 0) {
        int file = find(fd, &found);
        if (file >= 0) note(MMAP, found.st_ino, 0, files[file].path, strlen(files[file].path));
    }
    return (void *)syscall(SYS_mmap, where, length, protection, flags, fd, at);
}
void *mmap(void *where, size_t length, int protection, int flags, int fd, off_t at) {
    return map(where, length, protection, flags, fd, at);
}
void *mmap64(void *where, size_t length, int protection, int flags, int fd, off64_t at) {
    return map(where, length, protection, flags, fd, at);
}
