//! 
#![no_std]
