/*
 * Stands between a process and its disk (LD_PRELOAD): writes down, in order, everything that the process does to the files of one directory, and fails
 * or delays what it is told to. It answers calls by system calls of its own, so it never meets itself.
 *
 * FAULTS_DIRECTORY  the directory, absolute; its subdirectories are left alone, and so are files that end in `-shm`: they are memory, made anew
 * FAULTS_LOG        where it is written down; faults/shim/log.ts reads it
 * FAULTS_STRIKES    what to fail and delay; faults/shim/strikes.ts writes it, at any time
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
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum kind { OPENED = 1, WRITTEN, TRUNCATED, SYNC_BEGAN, SYNC_ENDED, RENAMED, UNLINKED, CLOSED };

/** Of each entry of the log; `length` bytes follow. All little-endian. */
struct entry {
  uint32_t kind;
  uint32_t length;
  /** CLOCK_MONOTONIC. Taken before the call and before the entry is written. */
  uint64_t at_ns;
  /** One opening of one file, in all processes. */
  uint64_t handle;
  /** Of a write, where; of a truncation, the new size; of an opening, CREATED | EMPTIED; of a sync, its number. */
  uint64_t offset;
  /** 0 or the number of bytes; -errno of what failed. */
  int64_t result;
};
#define CREATED 1
#define EMPTIED 2

#define DESCRIPTORS 4096
#define NAME_BYTES 64
#define STRIKES 8

struct tracked {
  uint64_t handle;
  dev_t device;
  ino_t inode;
  char name[NAME_BYTES];
};

/** One line of the control file. */
struct strike {
  unsigned generation;
  char what[16];
  char suffix[NAME_BYTES];
  /** Counted from 1, since this generation was seen first. */
  unsigned nth, times;
  int error;
  unsigned delay_ms;
  unsigned seen;
};

static char directory[PATH_MAX];
static size_t directory_length;
static int log_descriptor = -1;
static int strikes_descriptor = -1;
static struct tracked descriptors[DESCRIPTORS];
static struct strike strikes[STRIKES];
static uint64_t handles;
static uint64_t syncs;
/* What happens to the files and what is written of it happens in one order. */
static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;

static void give_up(const char *why) {
  dprintf(2, "faults/shim: %s: %s\n", why, strerror(errno));
  abort();
}

/* Out of the way of whoever expects low numbers. */
static int open_apart(const char *path, int flags) {
  int low = syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0600);
  if (low < 0) give_up(path);
  int high = syscall(SYS_fcntl, low, F_DUPFD_CLOEXEC, 700);
  if (high < 0) give_up(path);
  syscall(SYS_close, low);
  return high;
}

__attribute__((constructor)) static void start(void) {
  const char *path = getenv("FAULTS_DIRECTORY");
  const char *log = getenv("FAULTS_LOG");
  const char *control = getenv("FAULTS_STRIKES");
  if (!path || strlen(path) >= PATH_MAX) return;
  strcpy(directory, path);
  directory_length = strlen(directory);
  handles = (uint64_t)getpid() << 32;
  syncs = handles;
  if (log) log_descriptor = open_apart(log, O_WRONLY | O_CREAT | O_APPEND);
  if (control) strikes_descriptor = open_apart(control, O_RDONLY);
}

static uint64_t now_ns(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

/* A log with a gap would prove nothing, so whatever fails here ends the process. */
static void note(struct entry entry, const struct iovec *parts, int count) {
  if (log_descriptor < 0) return;
  struct iovec all[1 + count];
  size_t bytes = sizeof entry;
  entry.length = 0;
  for (int n = 0; n < count; n++) {
    all[n + 1] = parts[n];
    entry.length += parts[n].iov_len;
  }
  bytes += entry.length;
  all[0] = (struct iovec){&entry, sizeof entry};
  ssize_t done = syscall(SYS_writev, log_descriptor, all, count + 1);
  if (done < 0 || (size_t)done != bytes) give_up("the log cannot be written");
}

/* What is within the directory, by its name there; the directory itself is "". */
static const char *name_within(const char *path) {
  if (directory_length == 0 || !path || strncmp(path, directory, directory_length) != 0) return NULL;
  const char *rest = path + directory_length;
  if (*rest == 0) return rest;
  if (*rest != '/') return NULL;
  rest++;
  size_t length = strlen(rest);
  if (strchr(rest, '/') || length >= NAME_BYTES) return NULL;
  if (length >= 4 && strcmp(rest + length - 4, "-shm") == 0) return NULL;
  return rest;
}

/* Node closes its files by a system call that nobody can stand before: then the number soon stands for something else. */
static struct tracked *tracked(int descriptor) {
  struct stat status;
  if (descriptor < 0 || descriptor >= DESCRIPTORS || descriptors[descriptor].handle == 0) return NULL;
  struct tracked *file = &descriptors[descriptor];
  if (fstat(descriptor, &status) == 0 && status.st_dev == file->device && status.st_ino == file->inode) return file;
  file->handle = 0;
  return NULL;
}

/* Read anew for each call: that costs a microsecond, and what is told takes effect at once. */
static void read_strikes(void) {
  char text[2048];
  ssize_t length = syscall(SYS_pread64, strikes_descriptor, text, sizeof text - 1, 0);
  if (length < 0) give_up("the strikes cannot be read");
  text[length] = 0;
  char *rest = text;
  for (int n = 0; n < STRIKES; n++) {
    struct strike told = {0};
    char *line = strsep(&rest, "\n");
    int fields = line ? sscanf(line, "%u %15s %63s %u %u %d %u", &told.generation, told.what, told.suffix, &told.nth, &told.times, &told.error, &told.delay_ms) : 0;
    if (fields != 7) strikes[n].generation = 0;
    else if (strikes[n].generation != told.generation) strikes[n] = told;
  }
}

static int ends_in(const char *name, const char *suffix) {
  size_t length = strlen(name), tail = strlen(suffix);
  return strcmp(suffix, "*") == 0 || (length >= tail && strcmp(name + length - tail, suffix) == 0);
}

struct blow {
  int error;
  unsigned delay_ms;
};

/* Called in order. */
static struct blow blow_on(const char *what, const char *name) {
  struct blow blow = {0, 0};
  if (strikes_descriptor < 0) return blow;
  read_strikes();
  for (int n = 0; n < STRIKES; n++) {
    struct strike *strike = &strikes[n];
    if (strike->generation == 0 || strcmp(strike->what, what) != 0 || !ends_in(name, strike->suffix)) continue;
    strike->seen++;
    if (strike->seen < strike->nth || (strike->times > 0 && strike->seen >= strike->nth + strike->times)) continue;
    if (strike->error) blow.error = strike->error;
    blow.delay_ms += strike->delay_ms;
  }
  return blow;
}

static void wait_ms(unsigned ms) {
  if (ms == 0) return;
  struct timespec time = {ms / 1000, (long)(ms % 1000) * 1000000};
  while (nanosleep(&time, &time) != 0 && errno == EINTR) continue;
}

static int open_any(int at, const char *path, int flags, mode_t mode) {
  const char *name = at == AT_FDCWD || (path && path[0] == '/') ? name_within(path) : NULL;
  if (!name) return syscall(SYS_openat, at, path, flags, mode);
  pthread_mutex_lock(&order);
  struct entry entry = {.kind = OPENED, .at_ns = now_ns()};
  int existed = syscall(SYS_faccessat, AT_FDCWD, path, F_OK) == 0;
  int descriptor = syscall(SYS_openat, at, path, flags, mode);
  int error = errno;
  if (descriptor >= DESCRIPTORS) give_up("too many descriptors");
  if (descriptor >= 0) {
    struct tracked *slot = &descriptors[descriptor];
    struct stat status;
    if (fstat(descriptor, &status) != 0) give_up("a file that was just opened cannot be looked at");
    slot->device = status.st_dev;
    slot->inode = status.st_ino;
    slot->handle = ++handles;
    strcpy(slot->name, name);
    entry.handle = slot->handle;
    entry.offset = (existed ? 0 : CREATED) | (flags & O_TRUNC ? EMPTIED : 0);
    struct iovec part = {(void *)name, strlen(name)};
    note(entry, &part, 1);
  }
  pthread_mutex_unlock(&order);
  errno = error;
  return descriptor;
}

#define MODE_OF(flags)                          \
  mode_t mode = 0;                              \
  if (flags & (O_CREAT | O_TMPFILE)) {          \
    va_list rest;                               \
    va_start(rest, flags);                      \
    mode = va_arg(rest, mode_t);                \
    va_end(rest);                               \
  }

int open(const char *path, int flags, ...) {
  MODE_OF(flags)
  return open_any(AT_FDCWD, path, flags, mode);
}
int open64(const char *path, int flags, ...) {
  MODE_OF(flags)
  return open_any(AT_FDCWD, path, flags | O_LARGEFILE, mode);
}
int openat(int at, const char *path, int flags, ...) {
  MODE_OF(flags)
  return open_any(at, path, flags, mode);
}
int openat64(int at, const char *path, int flags, ...) {
  MODE_OF(flags)
  return open_any(at, path, flags | O_LARGEFILE, mode);
}

int close(int descriptor) {
  struct tracked *file = tracked(descriptor);
  if (!file) return syscall(SYS_close, descriptor);
  pthread_mutex_lock(&order);
  note((struct entry){.kind = CLOSED, .at_ns = now_ns(), .handle = file->handle}, NULL, 0);
  file->handle = 0;
  int result = syscall(SYS_close, descriptor);
  int error = errno;
  pthread_mutex_unlock(&order);
  errno = error;
  return result;
}

/* At -1: where the descriptor stands. */
static ssize_t write_any(int descriptor, const struct iovec *parts, int count, off_t at) {
  struct tracked *file = tracked(descriptor);
  if (!file) return at < 0 ? syscall(SYS_writev, descriptor, parts, count) : syscall(SYS_pwritev, descriptor, parts, count, at, 0);
  pthread_mutex_lock(&order);
  struct entry entry = {.kind = WRITTEN, .at_ns = now_ns(), .handle = file->handle, .offset = at};
  struct blow blow = blow_on("write", file->name);
  int flags = syscall(SYS_fcntl, descriptor, F_GETFL);
  struct stat status;
  if (flags & O_APPEND) entry.offset = fstat(descriptor, &status) == 0 ? status.st_size : 0;
  else if (at < 0) entry.offset = syscall(SYS_lseek, descriptor, 0, SEEK_CUR);
  ssize_t done = -1;
  errno = blow.error;
  if (!blow.error) done = at < 0 ? syscall(SYS_writev, descriptor, parts, count) : syscall(SYS_pwritev, descriptor, parts, count, at, 0);
  int error = errno;
  entry.result = done < 0 ? -error : done;
  struct iovec kept[count];
  int used = 0;
  for (ssize_t rest = done; rest > 0; used++) {
    kept[used] = parts[used];
    if ((ssize_t)kept[used].iov_len > rest) kept[used].iov_len = rest;
    rest -= kept[used].iov_len;
  }
  note(entry, kept, used);
  pthread_mutex_unlock(&order);
  wait_ms(blow.delay_ms);
  errno = error;
  return done;
}

static ssize_t write_one(int descriptor, const void *bytes, size_t length, off_t at) {
  struct iovec part = {(void *)bytes, length};
  return write_any(descriptor, &part, 1, at);
}

ssize_t write(int descriptor, const void *bytes, size_t length) {
  /* Also of what is no file of ours: a pipe or socket takes one `write`. */
  return tracked(descriptor) ? write_one(descriptor, bytes, length, -1) : syscall(SYS_write, descriptor, bytes, length);
}
ssize_t pwrite(int descriptor, const void *bytes, size_t length, off_t at) { return write_one(descriptor, bytes, length, at); }
ssize_t pwrite64(int descriptor, const void *bytes, size_t length, off64_t at) { return write_one(descriptor, bytes, length, at); }
ssize_t writev(int descriptor, const struct iovec *parts, int count) { return write_any(descriptor, parts, count, -1); }
ssize_t pwritev(int descriptor, const struct iovec *parts, int count, off_t at) { return write_any(descriptor, parts, count, at); }
ssize_t pwritev64(int descriptor, const struct iovec *parts, int count, off64_t at) { return write_any(descriptor, parts, count, at); }

static int truncate_any(int descriptor, off_t size) {
  struct tracked *file = tracked(descriptor);
  if (!file) return syscall(SYS_ftruncate, descriptor, size);
  pthread_mutex_lock(&order);
  struct entry entry = {.kind = TRUNCATED, .at_ns = now_ns(), .handle = file->handle, .offset = size};
  struct blow blow = blow_on("truncate", file->name);
  errno = blow.error;
  int result = blow.error ? -1 : syscall(SYS_ftruncate, descriptor, size);
  int error = errno;
  entry.result = result < 0 ? -error : 0;
  note(entry, NULL, 0);
  pthread_mutex_unlock(&order);
  wait_ms(blow.delay_ms);
  errno = error;
  return result;
}

/* Nothing of ours takes space in this way; if that changes, the log must know it. */
static int allocate_any(int descriptor, int mode, off_t at, off_t length) {
  if (tracked(descriptor)) give_up("fallocate is not written down");
  return syscall(SYS_fallocate, descriptor, mode, at, length);
}

int fallocate(int descriptor, int mode, off_t at, off_t length) { return allocate_any(descriptor, mode, at, length); }
int fallocate64(int descriptor, int mode, off64_t at, off64_t length) { return allocate_any(descriptor, mode, at, length); }
int posix_fallocate(int descriptor, off_t at, off_t length) { return allocate_any(descriptor, 0, at, length) == 0 ? 0 : errno; }
int posix_fallocate64(int descriptor, off64_t at, off64_t length) { return allocate_any(descriptor, 0, at, length) == 0 ? 0 : errno; }

int ftruncate(int descriptor, off_t size) { return truncate_any(descriptor, size); }
int ftruncate64(int descriptor, off64_t size) { return truncate_any(descriptor, size); }

static int sync_any(int descriptor, long call) {
  struct tracked *file = tracked(descriptor);
  if (!file) return syscall(call, descriptor);
  pthread_mutex_lock(&order);
  struct entry entry = {.kind = SYNC_BEGAN, .at_ns = now_ns(), .handle = file->handle, .offset = ++syncs};
  struct blow blow = blow_on("sync", file->name);
  note(entry, NULL, 0);
  pthread_mutex_unlock(&order);
  wait_ms(blow.delay_ms);
  errno = blow.error;
  int result = blow.error ? -1 : syscall(call, descriptor);
  int error = errno;
  pthread_mutex_lock(&order);
  entry.kind = SYNC_ENDED;
  entry.at_ns = now_ns();
  entry.result = result < 0 ? -error : 0;
  note(entry, NULL, 0);
  pthread_mutex_unlock(&order);
  errno = error;
  return result;
}

int fsync(int descriptor) { return sync_any(descriptor, SYS_fsync); }
int fdatasync(int descriptor) { return sync_any(descriptor, SYS_fdatasync); }

int rename(const char *from, const char *to) {
  const char *old = name_within(from), *new = name_within(to);
  if (!old || !new) return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
  pthread_mutex_lock(&order);
  struct entry entry = {.kind = RENAMED, .at_ns = now_ns()};
  int result = syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
  int error = errno;
  struct iovec parts[] = {{(void *)old, strlen(old)}, {"/", 1}, {(void *)new, strlen(new)}};
  if (result == 0) note(entry, parts, 3);
  pthread_mutex_unlock(&order);
  errno = error;
  return result;
}

static int unlink_any(int at, const char *path, int flags) {
  const char *name = at == AT_FDCWD || (path && path[0] == '/') ? name_within(path) : NULL;
  if (!name) return syscall(SYS_unlinkat, at, path, flags);
  pthread_mutex_lock(&order);
  struct entry entry = {.kind = UNLINKED, .at_ns = now_ns()};
  int result = syscall(SYS_unlinkat, at, path, flags);
  int error = errno;
  struct iovec part = {(void *)name, strlen(name)};
  if (result == 0) note(entry, &part, 1);
  pthread_mutex_unlock(&order);
  errno = error;
  return result;
}

int unlink(const char *path) { return unlink_any(AT_FDCWD, path, 0); }
int unlinkat(int at, const char *path, int flags) { return unlink_any(at, path, flags); }
int remove(const char *path) {
  int result = unlink_any(AT_FDCWD, path, 0);
  return result < 0 && (errno == EISDIR || errno == EPERM) ? syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR) : result;
}
