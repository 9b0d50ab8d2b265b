# A BMC of pyghmi's (IPMI 2.0 over LAN) for tests: power, NMI, the cause of the last restart and a SEL. Each act is told on a line of its own.
# Arguments: port, user, password.
import struct
import sys
import time

import pyghmi.ipmi.bmc as bmc


class Bmc(bmc.Bmc):
    power = 'on'
    sel = []
    cause = 3  # its power button

    def told(self, act):
        print(act, flush=True)

    def get_power_state(self):
        return self.power

    def power_off(self):
        self.power = 'off'
        self.told('off')

    def power_on(self):
        self.power = 'on'
        self.told('on')

    def power_cycle(self):
        if self.power == 'off':
            return 0xD5
        self.told('cycle')

    def power_reset(self):
        self.cause = 1  # a command
        self.told('reset')

    def power_shutdown(self):
        self.power = 'off'
        self.told('shutdown')

    def pulse_diag(self):
        self.add(0x13, 1, 0)  # Critical Interrupt: NMI/Diag
        self.told('nmi')

    def get_boot_device(self):
        return 'default'

    def set_boot_device(self, bootdevice):
        self.told('boot ' + str(bootdevice))

    def add(self, kind, number, what):
        entry = struct.pack(
            '<HBIHBBBBBBB', len(self.sel) + 1, 2, int(time.time()), 0x20, 4, kind, number, 0x6F, what, 255, 255
        )
        self.sel.append(entry)

    def handle_raw_request(self, request, session):
        if (request['netfn'], request['command']) == (0, 7):
            return session.send_ipmi_response(data=[self.cause, 1])
        if request['netfn'] != 10:
            return super().handle_raw_request(request, session)
        command, data = request['command'], bytearray(request['data'])

        def ok(answer):
            return session.send_ipmi_response(data=list(answer))

        if command == 0x40:
            return ok(struct.pack('<BHHIIB', 0x51, len(self.sel), 16000, int(time.time()), 0, 2))
        if command in (0x42, 0x22):
            return ok(b'\1\0')
        if command == 0x48:
            return ok(struct.pack('<I', int(time.time())))
        if command == 0x20:
            return ok(b'\x51' + bytes(13))
        if command == 0x43 and self.sel:
            index = data[2] | data[3] << 8
            index = {0: 0, 65535: len(self.sel) - 1}.get(index, index - 1)
            if index < len(self.sel):
                following = 65535 if index + 1 == len(self.sel) else index + 2
                return ok(struct.pack('<H', following) + self.sel[index][data[4]:])
        return session.send_ipmi_response(code=0xCB)


# pyghmi listens on IPv6 sockets: the loopback of IPv4 has this name there.
server = Bmc({sys.argv[2]: sys.argv[3]}, port=int(sys.argv[1]), address='::ffff:127.0.0.1')
server.add(0x0C, 8, 1)  # Memory: uncorrectable ECC
print('ready', flush=True)
server.listen()
