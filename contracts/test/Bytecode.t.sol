// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EscrowTest} from "./support/EscrowTest.sol";

/// @notice Facts that can be read off the deployed code itself.
contract BytecodeTest is EscrowTest {
    uint8 private constant CALL = 0xf1;

    /// @dev Invariant I6, its first half: `withdraw` holds the only instruction that sends.
    function test_one_call_and_no_way_to_run_foreign_code() public view {
        uint256[256] memory count = countOpcodes(address(escrow).code);
        assertEq(count[CALL], 1, "CALL");
        assertEq(count[0xf0] + count[0xf5], 0, "CREATE, CREATE2");
        assertEq(count[0xf2] + count[0xf4], 0, "CALLCODE, DELEGATECALL");
        assertEq(count[0xff], 0, "SELFDESTRUCT");
    }

    /// @dev BitTorrent Chain publishes no fork after Berlin.
    function test_no_instruction_younger_than_berlin() public view {
        uint256[256] memory count = countOpcodes(address(escrow).code);
        assertEq(count[0x48] + count[0x49] + count[0x4a], 0, "BASEFEE, BLOBHASH, BLOBBASEFEE");
        assertEq(count[0x5c] + count[0x5d], 0, "TLOAD, TSTORE");
        assertEq(count[0x5e] + count[0x5f], 0, "MCOPY, PUSH0");
    }

    /// @dev EIP-170.
    function test_the_code_is_small_enough_to_deploy() public view {
        vm.assertTrue(address(escrow).code.length <= 24_576, "code size");
    }

    function countOpcodes(bytes memory code) private pure returns (uint256[256] memory count) {
        for (uint256 offset = 0; offset < code.length; ++offset) {
            uint8 opcode = uint8(code[offset]);
            ++count[opcode];
            // PUSH1 to PUSH32 are followed by that many bytes, which are no instructions.
            if (opcode >= 0x60 && opcode <= 0x7f) offset += opcode - 0x5f;
        }
    }
}
