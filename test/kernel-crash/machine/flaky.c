// A driver with a bug of each kind, for tests: `insmod flaky.ko kind=null` makes it happen.
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

static char *kind = "null";
module_param(kind, charp, 0);

struct flaky_card {
	int state;
	struct list_head all;
};

static noinline int flaky_read_state(struct flaky_card *card)
{
	return READ_ONCE(card->state);
}

static noinline void flaky_wild(void)
{
	*(volatile unsigned long *)0xdead4ead00000100UL = 1;
}

static noinline void flaky_bug(void)
{
	BUG_ON(kind[0] == 'b');
}

static noinline void flaky_warn(void)
{
	WARN(1, "flaky: ring of queue %d is full\n", 3);
}

static noinline void flaky_list(void)
{
	struct list_head head, good, bad;

	INIT_LIST_HEAD(&head);
	list_add(&good, &head);
	head.next = &bad;
	bad.prev = &bad;
	list_add(&good, &head);
}

static noinline int flaky_divide(int by)
{
	return 1000 / READ_ONCE(by);
}

static noinline void flaky_spin(void)
{
	preempt_disable();
	for (;;)
		cpu_relax();
}

static void flaky_work_fn(struct work_struct *work)
{
	flaky_read_state(NULL);
}
static DECLARE_WORK(flaky_work, flaky_work_fn);

static noinline int flaky_wait(void)
{
	set_current_state(TASK_UNINTERRUPTIBLE);
	schedule();
	return 0;
}

static noinline int flaky_sleep_in_lock(void)
{
	static DEFINE_SPINLOCK(lock);

	spin_lock(&lock);
	msleep(20);
	spin_unlock(&lock);
	return 0;
}

static noinline int flaky_recurse(int depth)
{
	volatile char room[512];

	room[depth % 512] = depth;
	return flaky_recurse(depth + 1) + room[0];
}

static int __init flaky_init(void)
{
	if (!strcmp(kind, "null"))
		return flaky_read_state(NULL);
	if (!strcmp(kind, "wild"))
		flaky_wild();
	if (!strcmp(kind, "bug"))
		flaky_bug();
	if (!strcmp(kind, "warn"))
		flaky_warn();
	if (!strcmp(kind, "list"))
		flaky_list();
	if (!strcmp(kind, "divide"))
		return flaky_divide(0);
	if (!strcmp(kind, "spin"))
		flaky_spin();
	if (!strcmp(kind, "work"))
		schedule_work(&flaky_work);
	if (!strcmp(kind, "wait"))
		return flaky_wait();
	if (!strcmp(kind, "atomic"))
		return flaky_sleep_in_lock();
	if (!strcmp(kind, "recurse"))
		return flaky_recurse(0);
	if (!strcmp(kind, "panic"))
		panic("flaky: card %d does not answer", 2);
	return 0;
}
module_init(flaky_init);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A driver with a bug of each kind");
