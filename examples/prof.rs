#[path = "../benches/fanout/mod.rs"]
mod fanout;
use fanout::Size; use seedbed::world::Host;
fn main(){
 let size=Size{agents:119,requests:200};
 let a=fanout::actors::run(size,1,Host::Native); let b=fanout::actors::run(size,1,Host::Tokio);
 println!("{a:?}\n{b:?} {}", a==b);
 let n: usize = std::env::args().nth(1).and_then(|s|s.parse().ok()).unwrap_or(20);
 for _ in 0..n { std::hint::black_box(fanout::actors::run(size,1,Host::Native)); }
}
