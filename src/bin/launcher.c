// The beginning of the one file. Behind it lie the runtime and the libraries that a system may not have: those of the C++
// compiler. It maps the runtime out of its own file as the kernel would, lends it what is missing through LD_PRELOAD,
// and goes on in the system's dynamic linker. No file is written: what must have a name is in memory.
//
// It is linked without any library, and without relocations, to an address that nothing else has.
#include <elf.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_SEGMENTS 32
#define MAX_PARTS 8
#define PAGE 4096ul
/** Descriptors of ours are out of the way of those that a shell hands on. */
#define FIRST_DESCRIPTOR 100

#if defined(__x86_64__)
#define LINKER "/lib64/ld-linux-x86-64.so.2"
#define TRIPLE "x86_64-linux-gnu"
#define MACHINE EM_X86_64
#elif defined(__aarch64__)
#define LINKER "/lib/ld-linux-aarch64.so.1"
#define TRIPLE "aarch64-linux-gnu"
#define MACHINE EM_AARCH64
#else
#error "no such machine is supported"
#endif

/** Where in this file something lies; scripts/single.mjs fills it in. */
struct part {
  uint64_t offset, size;
  /** The N of the glibc 2.N that it needs. */
  uint32_t glibc;
  char name[44];
};

/** The first part is the runtime, the second the kernel helper, those behind are libraries. */
__attribute__((section(".table"), used)) volatile struct {
  char magic[16];
  struct part parts[MAX_PARTS];
} table = {.magic = "cilium-toolkit:1"};

static long call(long number, long a, long b, long c, long d, long e, long f) {
  long result;
#if defined(__x86_64__)
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
#else
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  result = x0;
#endif
  return result;
}

static size_t length(const char *text) {
  size_t n = 0;
  while (text[n]) n++;
  return n;
}

static char *put(char *to, const char *text) {
  while (*text) *to++ = *text++;
  *to = 0;
  return to;
}

static char *put_number(char *to, unsigned number) {
  char digits[12];
  int n = 0;
  do digits[n++] = '0' + number % 10;
  while (number /= 10);
  while (n) *to++ = digits[--n];
  *to = 0;
  return to;
}

static _Noreturn void give_up(const char *why) {
  char text[256], *end = put(put(text, "cilium: "), why);
  *end++ = '\n';
  call(SYS_write, 2, (long)text, end - text, 0, 0, 0);
  call(SYS_exit_group, 127, 0, 0, 0, 0, 0);
  for (;;) continue;
}

static int is_error(long result) { return result < 0 && result > -4096; }

/** The beginning of an ELF file: its header and the headers of its segments. */
struct image {
  Elf64_Ehdr header;
  Elf64_Phdr segments[MAX_SEGMENTS];
};

static void read_at(int fd, void *to, size_t size, uint64_t at, const char *why) {
  if (call(SYS_pread64, fd, (long)to, size, at, 0, 0) != (long)size) give_up(why);
}

static void read_image(int fd, uint64_t at, struct image *image, const char *why) {
  read_at(fd, &image->header, sizeof image->header, at, why);
  const Elf64_Ehdr *h = &image->header;
  if (h->e_machine != MACHINE || h->e_phnum > MAX_SEGMENTS || h->e_phentsize != sizeof(Elf64_Phdr)) give_up(why);
  read_at(fd, image->segments, h->e_phnum * sizeof(Elf64_Phdr), at + h->e_phoff, why);
}

static int protection(uint32_t flags) {
  return (flags & PF_R ? PROT_READ : 0) | (flags & PF_W ? PROT_WRITE : 0) | (flags & PF_X ? PROT_EXEC : 0);
}

/** Maps the segments of an image as the kernel would. Returns what is added to its addresses. */
static uintptr_t map_image(int fd, uint64_t at, const struct image *image, const char *why) {
  const int count = image->header.e_phnum;
  uintptr_t low = UINTPTR_MAX, high = 0, base = 0;
  for (int i = 0; i < count; i++) {
    const Elf64_Phdr *p = &image->segments[i];
    if (p->p_type != PT_LOAD) continue;
    if (p->p_vaddr < low) low = p->p_vaddr & -PAGE;
    if (p->p_vaddr + p->p_memsz > high) high = p->p_vaddr + p->p_memsz;
  }
  if (image->header.e_type == ET_DYN) {
    const long room = call(SYS_mmap, 0, high - low, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (is_error(room)) give_up(why);
    base = room - low;
  }
  for (int i = 0; i < count; i++) {
    const Elf64_Phdr *p = &image->segments[i];
    if (p->p_type != PT_LOAD) continue;
    const uintptr_t start = base + p->p_vaddr, first = start & -PAGE, end = start + p->p_filesz;
    const int prot = protection(p->p_flags);
    if (p->p_filesz) {
      const uint64_t offset = at + p->p_offset - (start - first);
      const long got = call(SYS_mmap, first, end - first, prot, MAP_PRIVATE | MAP_FIXED, fd, offset);
      if (is_error(got)) give_up(why);
    }
    if (p->p_memsz == p->p_filesz) continue;
    // The rest of the last page, and pages of zeros.
    const uintptr_t page = (end + PAGE - 1) & -PAGE, last = (start + p->p_memsz + PAGE - 1) & -PAGE;
    if (p->p_filesz && p->p_flags & PF_W)
      for (volatile char *zero = (char *)end; zero < (char *)page; zero++) *zero = 0;
    const uintptr_t rest = p->p_filesz ? page : first;
    if (last > rest) {
      const long got =
          call(SYS_mmap, rest, last - rest, prot, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0);
      if (is_error(got)) give_up(why);
    }
  }
  return base;
}

/** Opens a library of the system. Returns its descriptor, or -1. */
static int open_installed(const char *name) {
  static const char folders[][32] = {"/lib/" TRIPLE "/", "/usr/lib/" TRIPLE "/", "/lib64/",
                                     "/usr/lib64/",      "/usr/lib/",            "/lib/"};
  char path[128];
  for (unsigned i = 0; i < sizeof folders / sizeof *folders; i++) {
    put(put(path, folders[i]), name);
    const int fd = call(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0, 0, 0);
    if (fd >= 0) return fd;
  }
  return -1;
}

static int is_installed(const char *name) {
  const int fd = open_installed(name);
  if (fd >= 0) call(SYS_close, fd, 0, 0, 0, 0, 0);
  return fd >= 0;
}

static int starts_with(const char *text, const char *start) {
  while (*start)
    if (*text++ != *start++) return 0;
  return 1;
}

/** The N of the newest version GLIBC_2.N that a C library defines; 0 where it does not say so. `file` is the whole of it. */
static unsigned newest_version(const char *file, uint64_t size) {
  const Elf64_Ehdr *h = (const Elf64_Ehdr *)file;
  if (size < sizeof *h || h->e_phoff + h->e_phnum * sizeof(Elf64_Phdr) > size) return 0;
  const Elf64_Phdr *segments = (const Elf64_Phdr *)(file + h->e_phoff);
  uint64_t names = 0, versions = 0, count = 0;
  for (int i = 0; i < h->e_phnum; i++) {
    if (segments[i].p_type != PT_DYNAMIC || segments[i].p_offset + segments[i].p_filesz > size) continue;
    const Elf64_Dyn *d = (const Elf64_Dyn *)(file + segments[i].p_offset);
    for (uint64_t n = segments[i].p_filesz / sizeof *d; n && d->d_tag != DT_NULL; n--, d++) {
      if (d->d_tag == DT_STRTAB) names = d->d_un.d_ptr;
      if (d->d_tag == DT_VERDEF) versions = d->d_un.d_ptr;
      if (d->d_tag == DT_VERDEFNUM) count = d->d_un.d_val;
    }
  }
  // Both tables are in the first segment, which lies in the file as in memory.
  unsigned newest = 0;
  for (uint64_t at = versions; at && count && at + sizeof(Elf64_Verdef) <= size; count--) {
    const Elf64_Verdef *v = (const Elf64_Verdef *)(file + at);
    const uint64_t aux = at + v->vd_aux;
    if (aux + sizeof(Elf64_Verdaux) > size) return 0;
    const uint64_t name = names + ((const Elf64_Verdaux *)(file + aux))->vda_name;
    if (name + 16 > size) return 0;
    const char *text = file + name;
    if (starts_with(text, "GLIBC_2.")) {
      unsigned number = 0;
      for (text += 8; *text >= '0' && *text <= '9'; text++) number = 10 * number + (*text - '0');
      if (number > newest) newest = number;
    }
    if (v->vd_next == 0) break;
    at += v->vd_next;
  }
  return newest;
}

/** Of which release 2.N the C library of this system is; 0 where that is not known. */
static unsigned installed_glibc(void) {
  const int fd = open_installed("libc.so.6");
  if (fd < 0) return 0;
  const long size = call(SYS_lseek, fd, 0, SEEK_END, 0, 0, 0);
  const long file = size > 0 ? call(SYS_mmap, 0, size, PROT_READ, MAP_PRIVATE, fd, 0) : -1;
  call(SYS_close, fd, 0, 0, 0, 0, 0);
  if (is_error(file)) return 0;
  const unsigned newest = newest_version((const char *)file, size);
  call(SYS_munmap, file, size, 0, 0, 0, 0);
  return newest;
}

/** Ends where a part needs a newer C library than there is: the dynamic linker would only name a symbol. */
static void check_glibc(const volatile struct part *part, unsigned there) {
  if (there == 0 || part->glibc <= there) return;
  char text[200], *to = put(text, "this system's GNU C library is 2.");
  to = put(put_number(to, there), ", and ");
  if (part != table.parts) to = put(put(to, (const char *)part->name), ", which this system does not have, ");
  to = put_number(put(to, part == table.parts ? "2." : "would need 2."), part->glibc);
  put(to, part == table.parts ? " or newer is needed" : ": install that library");
  give_up(text);
}

/** A part of the file as a file in memory. Returns its descriptor, or -1. */
static int in_memory(int self, const volatile struct part *part) {
  int fd = call(SYS_memfd_create, (long)part->name, 0, 0, 0, 0, 0);
  if (fd < 0) return -1;
  const int high = call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, FIRST_DESCRIPTOR, 0, 0, 0);
  call(SYS_close, fd, 0, 0, 0, 0, 0);
  if (high < 0) return -1;
  int64_t at = part->offset, left = part->size;
  while (left > 0) {
    const long sent = call(SYS_sendfile, high, self, (long)&at, left, 0, 0);
    if (sent <= 0) return -1;
    left -= sent;
  }
  return high;
}

/** Hands the process over: `stack` is what the kernel gave us. Returns the new stack; `*entry` is where it goes on. */
__attribute__((used)) uintptr_t *launch(uintptr_t *stack, uintptr_t *entry) {
  static struct image runtime, linker;
  static char preload[4096 + 256], said[4096 + 64];
  static uintptr_t room[65536] __attribute__((aligned(16)));
  const uintptr_t argc = stack[0];
  char **env = (char **)(stack + 1 + argc + 1);
  size_t envc = 0;
  const char *own = "";
  for (; env[envc]; envc++)
    if (starts_with(env[envc], "LD_PRELOAD=") && length(env[envc]) < 4096) own = env[envc] + 11;
  const uintptr_t *aux = (const uintptr_t *)(env + envc + 1);
  size_t auxc = 0;
  while (aux[2 * auxc] != AT_NULL) auxc++;

  const int self = call(SYS_openat, AT_FDCWD, (long)"/proc/self/exe", O_RDONLY | O_CLOEXEC, 0, 0, 0);
  if (self < 0) give_up("/proc is not mounted: it is needed to read this file");
  const int loader = call(SYS_openat, AT_FDCWD, (long)LINKER, O_RDONLY | O_CLOEXEC, 0, 0, 0);
  if (loader < 0) give_up("this system has no GNU C library (" LINKER " is missing): it runs on Debian, Ubuntu, Fedora, RHEL and the like, not on Alpine");
  const uint64_t at = table.parts[0].offset;
  if (at == 0) give_up("this file is incomplete: nothing was put behind the launcher");
  const unsigned glibc = installed_glibc();
  check_glibc(&table.parts[0], glibc);
  read_image(self, at, &runtime, "this file is damaged: the runtime in it cannot be read");
  read_image(loader, 0, &linker, LINKER " cannot be read");
  const uintptr_t base = map_image(self, at, &runtime, "the runtime cannot be mapped into memory");
  const uintptr_t beside = map_image(loader, 0, &linker, LINKER " cannot be mapped into memory");
  call(SYS_close, loader, 0, 0, 0, 0, 0);

  char *list = put(preload, "LD_PRELOAD=");
  char *const begin = list;
  for (int i = 2; i < MAX_PARTS && table.parts[i].offset; i++) {
    if (is_installed((const char *)table.parts[i].name)) continue;
    check_glibc(&table.parts[i], glibc);
    const int fd = in_memory(self, &table.parts[i]);
    if (fd < 0) give_up("a library that this system does not have cannot be lent to the runtime");
    if (list != begin) *list++ = ' ';
    list = put_number(put(list, "/proc/self/fd/"), fd);
  }
  const int isLent = list != begin;
  if (*own) {
    if (list != begin) *list++ = ' ';
    list = put(list, own);
  }
  char *word = put(said, "CILIUM_TOOLKIT_LAUNCHED=");
  const int helper = table.parts[1].offset ? in_memory(self, &table.parts[1]) : -1;
  if (helper >= 0) word = put_number(put(word, "/proc/self/fd/"), helper);
  if (*own) put(put(word, " "), own);
  call(SYS_close, self, 0, 0, 0, 0, 0);

  const size_t need = 1 + argc + 1 + envc + 3 + 2 * (auxc + 1);
  if (need > sizeof room / sizeof *room) give_up("too many arguments and variables");
  // The top of the stack stays as it is: what the list points to lies above.
  uintptr_t *top = (uintptr_t *)(((uintptr_t)stack - need * sizeof *room) & -16ul);
  uintptr_t *to = room;
  *to++ = argc;
  for (size_t i = 0; i <= argc; i++) *to++ = stack[1 + i];
  for (size_t i = 0; i < envc; i++)
    if (!starts_with(env[i], "LD_PRELOAD=") && !starts_with(env[i], "CILIUM_TOOLKIT_LAUNCHED="))
      *to++ = (uintptr_t)env[i];
  if (isLent || *own) *to++ = (uintptr_t)preload;
  *to++ = (uintptr_t)said;
  *to++ = 0;
  for (size_t i = 0; i <= auxc; i++) {
    const uintptr_t kind = aux[2 * i];
    uintptr_t value = aux[2 * i + 1];
    if (kind == AT_PHDR) value = base + runtime.segments[0].p_vaddr - runtime.segments[0].p_offset + runtime.header.e_phoff;
    if (kind == AT_PHNUM) value = runtime.header.e_phnum;
    if (kind == AT_PHENT) value = sizeof(Elf64_Phdr);
    if (kind == AT_ENTRY) value = base + runtime.header.e_entry;
    if (kind == AT_BASE) value = beside;
    *to++ = kind;
    *to++ = value;
  }
  const size_t used = to - room;
  for (size_t i = 0; i < used; i++) top[i] = room[i];
  *entry = beside + linker.header.e_entry;
  return top;
}

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n"
        "mov %rsp, %rdi\n"
        "mov %rsp, %rbp\n"
        // Below the list that launch() writes there is room for launch() itself.
        "sub $1048576, %rsp\n"
        "and $-16, %rsp\n"
        "lea 8(%rsp), %rsi\n"
        "call launch\n"
        "mov 8(%rsp), %rcx\n"
        "mov %rax, %rsp\n"
        "xor %edx, %edx\n"
        "xor %ebp, %ebp\n"
        "jmp *%rcx\n");
#else
__asm__(".globl _start\n_start:\n"
        "mov x0, sp\n"
        "sub sp, sp, #1048576\n"
        "mov x1, sp\n"
        "sub sp, sp, #64\n"
        "bl launch\n"
        "ldr x9, [sp, #64]\n"
        "mov sp, x0\n"
        "mov x0, #0\n"
        "br x9\n");
#endif
