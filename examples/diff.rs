#[path = "../benches/fanout/mod.rs"]
mod fanout;
use fanout::Size; use seedbed::world::*; use std::{rc::Rc,cell::RefCell};
fn log(host: Host)->Vec<String>{
 let l=Rc::new(RefCell::new(Vec::new())); let k=l.clone();
 let mut w=fanout::actors::build(Size{agents:119,requests:3},1,host);
 w.observe(move |s:&Sighting<'_>| k.borrow_mut().push(serde_json::to_string(&s.to_record()).unwrap()));
 w.run().unwrap(); l.take()
}
fn main(){
 let a=log(Host::Native); let b=log(Host::Tokio);
 println!("{} {}",a.len(),b.len());
 for (i,(x,y)) in a.iter().zip(&b).enumerate(){ if x!=y { for k in i.saturating_sub(6)..i+3 {println!("N {}\nT {}",a[k],b[k]);} break; } }
}
