// Loads the kernel that takes over when this one panics, as kdump's service does: `kdump KERNEL INITRD COMMAND-LINE`.
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KEXEC_FILE_ON_CRASH 2

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	const char *line = argv[3];
	int kernel = open(argv[1], O_RDONLY);
	int initrd = open(argv[2], O_RDONLY);
	if (syscall(SYS_kexec_file_load, kernel, initrd, strlen(line) + 1, line, KEXEC_FILE_ON_CRASH) == 0)
		return 0;
	perror("kexec_file_load");
	return 1;
}
