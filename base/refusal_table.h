/*
 * refusal_table.h - the refusals, in the order in which a request can first meet them.
 * `hotpatch explain` prints this table; the codes are stable.
 */
#ifndef HOTPATCH_REFUSAL_TABLE_H
#define HOTPATCH_REFUSAL_TABLE_H

/* clang-format off */
#define ERROR_TABLE(X) \
  X(HP_USAGE, "HP-USAGE", 2, "the command line is not understood", "see hotpatch --help") \
  /* the wire */ \
  X(HP_LINE_TOO_LONG, "HP-LINE-TOO-LONG", 1, "a request is longer than 4,096 bytes", "shorten the path, name a function by OBJECT+0xOFFSET, or split the transaction or the patch") \
  X(HP_LINE_INCOMPLETE, "HP-LINE-INCOMPLETE", 1, "a request does not end in a newline", "write the whole line, newline included, in one write") \
  X(HP_NUL, "HP-NUL", 1, "a request contains a NUL byte", "send the request as text, without NUL bytes") \
  X(HP_VERB, "HP-VERB", 1, "the request's first word is not a verb", "the verbs are load, revert, reload, status, slots, ping, begin, commit") \
  X(HP_KEY, "HP-KEY", 1, "the request has a key that this verb does not take", "libhotpatch_preload(7) lists the keys") \
  X(HP_VALUE, "HP-VALUE", 1, "a key has a value that the key cannot have", "libhotpatch_preload(7) lists the values") \
  X(HP_PATH, "HP-PATH", 1, "the request lacks an absolute path, or has one too many", "load takes one absolute path, the other verbs none") \
  X(HP_TRANSACTION, "HP-TRANSACTION", 1, "begin, commit and the lines between them are not a valid transaction", "send begin, load and revert lines, and commit in one write, or each within a second of the last") \
  X(HP_OTHER_PROCESS, "HP-OTHER-PROCESS", 1, "the request is for another process than the process that reads it", "run the command again; by hand, take nonce= from the status file, or leave it out") \
  X(HP_DEADLINE, "HP-DEADLINE", 4, "the request's deadline passed before the commit", "allow more time; nothing was changed") \
  /* the host */ \
  X(HP_SANDBOX, "HP-SANDBOX", 1, "the program gave up rights that the patching thread cannot give up", "start it with HOTPATCH_LISTEN=start, and load the patch before the program drops its rights") \
  X(HP_CHROOT, "HP-CHROOT", 1, "no file can be put into the program's root directory", "make this directory writable for root, and mount it without noexec; or load the patch before the program calls chroot") \
  X(HP_ENGINE, "HP-ENGINE", 1, "libhotpatch_engine.so cannot be loaded in this process", "install it in the directory of libhotpatch_preload.so, with libelf1 and libzydis4.0") \
  X(HP_BUSY, "HP-BUSY", 4, "an earlier patch's code is still running on the patching thread", "wait for it, or restart the program if it hangs") \
  X(HP_MEMORY, "HP-MEMORY", 1, "the process has no memory left for the request", "raise its memory limit") \
  X(HP_LIMIT, "HP-LIMIT", 1, "a limit of the process leaves no room for the request", "raise the limit (prlimit --pid), or load the patch before the program lowers it") \
  X(HP_LATER, "HP-LATER", 1, "this version of hotpatch cannot do that yet", "see NEWS for what each version can do") \
  /* the file */ \
  X(HP_OPEN, "HP-OPEN", 1, "a file cannot be opened", "check the path and its permissions; load opens a patch as the user of the program") \
  X(HP_NOT_REGULAR, "HP-NOT-REGULAR", 1, "the path does not name a regular file", "give the path of the file itself: a patch, a program or its debug information") \
  X(HP_WRITABLE, "HP-WRITABLE", 1, "users other than root and the program's user can change the patch", "chown it and its directory; chmod go-w both") \
  X(HP_CHANGED, "HP-CHANGED", 1, "the patch changed while it was read", "load it when its build has finished") \
  X(HP_TOO_LARGE, "HP-TOO-LARGE", 1, "the patch is larger than 256 MiB", "put only the functions and data that change into the patch") \
  X(HP_SNAPSHOT, "HP-SNAPSHOT", 1, "no private copy of the patch could be made", "free space in the runtime directory, or set HOTPATCH_DIR") \
  X(HP_NOT_ELF, "HP-NOT-ELF", 1, "the file is not an ELF file", "a patch is built with -shared -fPIC; programs and debug information are ELF files too") \
  X(HP_ELF_CLASS, "HP-ELF-CLASS", 1, "the patch is not for 64-bit little-endian programs", "build it for the program's architecture") \
  X(HP_ELF_MACHINE, "HP-ELF-MACHINE", 1, "the patch is for another kind of processor", "build it for the program's architecture") \
  X(HP_ELF_TYPE, "HP-ELF-TYPE", 1, "the patch is not a shared object", "build it with -shared -fPIC") \
  X(HP_ELF_CORRUPT, "HP-ELF-CORRUPT", 1, "the file's ELF structures contradict each other or point outside the file", "build or install the file again") \
  X(HP_NO_MANIFEST, "HP-NO-MANIFEST", 1, "the patch has no manifest", "add HOTPATCH_MODULE(name, version), or name the symbols with --replace") \
  X(HP_MANIFEST, "HP-MANIFEST", 1, "the patch's manifest is damaged", "build it again with this version's hotpatch.h") \
  X(HP_MANIFEST_VERSION, "HP-MANIFEST-VERSION", 1, "the manifest is of a version that this engine does not know", "build it with this version's hotpatch.h") \
  X(HP_BUILD_ID, "HP-BUILD-ID", 1, "the patch, or the debug information, is of another build than the program or library", "use the patch and the debug information of the running build") \
  X(HP_UNDEFINED, "HP-UNDEFINED", 1, "the patch uses a symbol that the process does not have", "link the object that defines the symbol into the patch, or export the symbol from the program") \
  X(HP_WX, "HP-WX", 1, "the patch asks for memory that is writable and executable at once", "link it with -Wl,-z,noexecstack; an assembler file needs .section .note.GNU-stack,\"\",@progbits") \
  X(HP_NEEDED, "HP-NEEDED", 1, "a library that the patch needs is not in the process and cannot be found", "install the library where the program finds it") \
  X(HP_THIN, "HP-THIN", 1, "the thin object is damaged, or of a version that this engine does not know", "build it again with hotpatch build of this version") \
  X(HP_RELOCATION, "HP-RELOCATION", 1, "a relocation of the thin object is not known, or its value does not fit", "the text names the symbol; a thin object is made by hotpatch build alone") \
  /* the slots */ \
  X(HP_TARGET, "HP-TARGET", 1, "a target is not spelled [OBJECT:]NAME[@FILE.c] or OBJECT+0xOFFSET", "see libhotpatch_preload(7)") \
  X(HP_NO_TARGET, "HP-NO-TARGET", 1, "the process has no function and no data of that name that can be patched", "hotpatch slots lists the functions and data that can be patched") \
  X(HP_NOT_PATCHABLE, "HP-NOT-PATCHABLE", 1, "the function exists and cannot be patched", "hotpatch slots reports the reason for each function; or declare the function with HOTPATCH_FUNCTION") \
  X(HP_AMBIGUOUS, "HP-AMBIGUOUS", 1, "several slots match the target", "name one of them as OBJECT:NAME") \
  X(HP_SIGNATURE, "HP-SIGNATURE", 1, "the replacement's signature is not the slot's", "give the replacement the signature shown") \
  X(HP_CALLERS, "HP-CALLERS", 1, "callers rely on registers or on a stack that a keeping stub cannot keep for this replacement", "give the replacement its signature (HOTPATCH_REPLACE), or replace the callers") \
  X(HP_KIND, "HP-KIND", 1, "the replacement and the slot are of different kinds: function, data, untyped function", "use HOTPATCH_REPLACE for functions, HOTPATCH_REPLACE_DATA for data, HOTPATCH_REPLACE_FN for untyped slots") \
  X(HP_NAME_CLASH, "HP-NAME-CLASH", 1, "one transaction names a module or a slot twice", "load them one after the other, or rename one") \
  X(HP_NO_LAYER, "HP-NO-LAYER", 1, "no patch and no fault of that name is applied", "hotpatch status lists what is applied") \
  X(HP_SLOT_DAMAGED, "HP-SLOT-DAMAGED", 1, "a slot table in the process is damaged", "rebuild the object that holds it") \
  X(HP_HOST_OWNED, "HP-HOST-OWNED", 1, "the program itself changed the word that a switch would write", "restart the program, or patch another function") \
  X(HP_BREAKPOINT, "HP-BREAKPOINT", 1, "a breakpoint or another tool's jump lies at the function's entry", "remove it (delete the breakpoint, the uprobe or the other hook), then try again") \
  X(HP_EMULATED, "HP-EMULATED", 1, "an emulator (qemu-user) runs the program: no function can be patched at its entry, and its doorbell has another number", "start it with HOTPATCH_LISTEN=start, and patch declared slots and imports; or run it without the emulator") \
  /* applying */ \
  X(HP_MAPPINGS, "HP-MAPPINGS", 1, "the process has nearly as many mappings as the kernel allows", "raise vm.max_map_count (sysctl), or restart the program; patches stay mapped") \
  X(HP_NEAR, "HP-NEAR", 1, "no free addresses near the program's code have room for the thin object", "restart the program, or free its mappings near its code") \
  X(HP_LOAD, "HP-LOAD", 1, "the dynamic linker refused the patch", "the text is the message of the dynamic linker") \
  X(HP_HOOK, "HP-HOOK", 1, "the patch's own hook refused", "see the patch's documentation") \
  X(HP_STORE, "HP-STORE", 1, "a slot's page cannot be made writable", "the program's sandbox forbids this; load the patch before the program enters the sandbox") \
  X(HP_SIGTRAP_BLOCKED, "HP-SIGTRAP-BLOCKED", 4, "a thread that cannot take SIGTRAP was not seen outside the function", "allow a longer --timeout, or try when that thread sleeps") \
  X(HP_TIMEOUT, "HP-TIMEOUT", 4, "the moment asked for did not come in time", "allow a longer --timeout, or use --when=call") \
  X(HP_UNLOAD, "HP-UNLOAD", 1, "the module cannot be unmapped", "leave out --unload; the layer can be reverted without it") \
  /* building thin objects */ \
  X(HP_COMMANDS, "HP-COMMANDS", 1, "the compile commands cannot be used", "use cmake, meson or bear; compile_commands.json and its directory must be yours or root's, and writable by no other user") \
  X(HP_SOURCE, "HP-SOURCE", 1, "the edit names a file that the binary was not built from, or that several files match", "give --source DIR, or the path as compile_commands.json spells it") \
  X(HP_DIFF, "HP-DIFF", 1, "the diff does not apply to the sources", "give the sources that the binary was built from, and the right -pN") \
  X(HP_COMPILE, "HP-COMPILE", 1, "the compiler refused the source", "mend the source where the compiler's own words say; until it compiles no code changes") \
  X(HP_BASELINE, "HP-BASELINE", 1, "the unedited source does not give the code of the binary", "use the sources, compiler and flags that the binary was built with; build the binary again if the sources are newer") \
  X(HP_LTO, "HP-LTO", 1, "the binary's code depends on the whole program or has counters (LTO, PGO, coverage)", "build it again without the option that is named: -flto, -fwhole-program, -fprofile-..., --coverage") \
  X(HP_NO_SYMBOLS, "HP-NO-SYMBOLS", 1, "the binary has no symbols", "give --debug FILE: a debug file of its build-id, or an unstripped rebuild of the same layout") \
  X(HP_UNCHANGED, "HP-UNCHANGED", 1, "the edit changes no machine code", "initial values of variables that exist change only in a new process; set them in the running one") \
  X(HP_TYPES, "HP-TYPES", 1, "a type or a prototype changed, and unchanged code or living data use the old", "keep the layout, or give --force-types where nothing of the old type lives") \
  X(HP_STATE, "HP-STATE", 1, "a variable cannot be bound to the program's own", "keep its name, size and type; rename one of two variables of one name") \
  X(HP_DATA, "HP-DATA", 1, "constant data changed that unchanged code reads", "change it in a function, or restart the program") \
  X(HP_THREAD_LOCAL, "HP-THREAD-LOCAL", 1, "the edit adds a thread-local variable", "use a variable that exists, or restart the program") \
  X(HP_SECTION, "HP-SECTION", 1, "the edit changes a section that is neither code nor data of functions", "restart the program; constructors, notes and tables of other tools are not patched") \
  /* the command */ \
  X(HP_NO_PROCESS, "HP-NO-PROCESS", 3, "there is no such process", "hotpatch ps lists the processes that can be patched") \
  X(HP_NO_SHIM, "HP-NO-SHIM", 3, "the process does not have libhotpatch_preload.so", "start it with hotpatch run, or with LD_PRELOAD") \
  X(HP_NOT_LISTENING, "HP-NOT-LISTENING", 3, "the process has the library but no thread reads its FIFO", "hotpatch doctor reports why") \
  X(HP_NEVER, "HP-NEVER", 1, "the process was started with HOTPATCH_LISTEN=never and takes no requests", "start it with HOTPATCH_LISTEN=first-ring or start; HOTPATCH_PATCH is applied all the same") \
  X(HP_DIRECTORY, "HP-DIRECTORY", 1, "the runtime directory cannot be trusted", "hotpatch doctor reports its owner; remove the directory or set HOTPATCH_DIR") \
  X(HP_PERMISSION, "HP-PERMISSION", 1, "the process belongs to another user", "run hotpatch as that user, or as root") \
  X(HP_STATIC, "HP-STATIC", 1, "the program is statically linked, or runs under valgrind, so nothing can be preloaded", "link it dynamically, or run it without valgrind") \
  X(HP_SETUID, "HP-SETUID", 1, "the program is setuid, setgid or has file capabilities, so the dynamic linker ignores LD_PRELOAD", "start it as the user that it changes to") \
  X(HP_32BIT, "HP-32BIT", 1, "the program is not 64-bit x86", "only x86-64 programs can be patched so far") \
  X(HP_MUSL, "HP-MUSL", 1, "the program uses another C library than glibc", "build it against glibc") \
  X(HP_SCRIPT, "HP-SCRIPT", 1, "the script's interpreter cannot be patched", "see the message about the interpreter") \
  X(HP_NO_PROGRAM, "HP-NO-PROGRAM", 1, "the program cannot be found or executed", "check the name and PATH") \
  X(HP_HOST_DIED, "HP-HOST-DIED", 6, "the process ended while the request was under way", "look at the program's log for the patch named last") \
  X(HP_UNKNOWN, "HP-UNKNOWN", 6, "the outcome is not known", "hotpatch status shows what is applied") \
  X(HP_SOME_FAILED, "HP-SOME-FAILED", 5, "some of several targets failed", "the reason for each target is listed") \
  X(HP_OUTPUT, "HP-OUTPUT", 1, "the output of the command cannot be written to its stdout", "free space there, or keep the reader of the pipe; if a request was carried out, the exit code is 6") \
  X(HP_INTERNAL, "HP-INTERNAL", 1, "hotpatch met a state that it does not know", "please report it with the log of HOTPATCH_LOG=debug")
/* clang-format on */

#endif
