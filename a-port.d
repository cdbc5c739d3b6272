port.o: arch/port.h arch/arch.h arch/callers.h arch/foreign.h arch/keep.h \
 arch/plt.h arch/relocation.h arch/stack_arguments.h base/cfi_frame.h \
 base/machine.h base/sha256_blocks.h base/sigframe.h base/sys.h \
 base/unwind.h base/cfi.h
arch/arch.h:
arch/callers.h:
arch/foreign.h:
arch/keep.h:
arch/plt.h:
arch/relocation.h:
arch/stack_arguments.h:
base/cfi_frame.h:
base/machine.h:
base/sha256_blocks.h:
base/sigframe.h:
base/sys.h:
base/unwind.h:
base/cfi.h:
